//! Says why a server was not reached or why it refused: from what was seen to the cause, the cure
//! and the exit code. There is one table for sockets and REST.
//!
//! Nothing here uses the network. [`looks`] names what to ask the server once more, since one
//! failure alone often has several causes; `second_look.rs` asks.

mod certificate;
mod clock;
mod errors;
mod finding;
mod gave_up;
mod link;
mod page;
mod redirect;
mod reply;
mod table;
mod token;
mod trouble;

#[cfg(test)]
mod tests;

pub(crate) use clock::{difference, server_ahead_ms};
pub(crate) use errors::{connect_trouble, request_trouble};
pub(crate) use gave_up::gave_up;
pub(crate) use link::looks;
pub(crate) use reply::HttpReply;
pub(crate) use table::{diagnose, trouble_text};
pub(crate) use trouble::{Asked, Look, SecondLook, SuppliedBy, TokenKind, Trouble, Via};
