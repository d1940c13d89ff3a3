//! One connection, from the accepted CONNECT to its end.

mod acks;
mod command;
mod inbound;
mod live;
mod open;
mod outbox;
mod receive;
mod write;

pub(crate) use command::Command;
pub(crate) use live::{End, Port, Session};
pub(crate) use open::{Opened, open};
pub(crate) use outbox::{Outbox, Turn};
