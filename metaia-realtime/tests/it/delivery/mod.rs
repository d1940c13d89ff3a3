//! Events arrive in order, whatever the clients do.

mod catching_up;
mod handlers;
mod order;
mod slow_consumer;
mod volatile;
