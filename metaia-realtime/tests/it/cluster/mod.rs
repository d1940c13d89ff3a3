//! Several nodes: notifications, presence, and the stores that they share.

mod frames;
#[cfg(feature = "mongodb")]
mod mongo;
mod nodes;
mod presence;
#[cfg(feature = "redis")]
mod redis;
