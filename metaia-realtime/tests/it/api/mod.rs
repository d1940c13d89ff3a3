//! The API does what it says.

mod drain;
mod dropped_handles;
mod handler_names;
mod mounted;
mod order_update;
mod reserved_names;
mod volatile_result;
#[cfg(feature = "sqlite")]
mod wake;
