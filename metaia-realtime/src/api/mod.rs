//! What an embedder holds: the handle and its builder, publishing, handlers and presence.

pub(crate) mod builder;
pub(crate) mod handlers;
mod presence;
pub(crate) mod publish;
pub(crate) mod realtime;
pub(crate) mod volatile;
