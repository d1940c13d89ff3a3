//! Several nodes.

#[cfg(feature = "mongodb")]
mod mongo;
mod nodes;
mod presence;
#[cfg(feature = "redis")]
mod redis;
