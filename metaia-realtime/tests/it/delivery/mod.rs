//! Events arrive in order, whatever the clients do.

mod catching_up;
mod crowd;
mod fences;
mod handlers;
mod last_events;
mod order;
mod slow_consumer;
mod volatile;
