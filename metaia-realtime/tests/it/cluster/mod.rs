//! Several nodes: notifications, presence, and the stores that they share.

#[cfg(feature = "mongodb")]
mod mongo;
mod nodes;
mod presence;
#[cfg(feature = "redis")]
mod redis;
