//! Events reach their clients in order, whatever a client does.

mod catching_up;
mod handlers;
mod order;
mod slow_consumer;
mod volatile;
