//! One connection, from the accepted CONNECT to its end.

mod acks;
mod app_channels;
mod command;
mod live;
mod open;
mod outbox;
mod packet_reader;
mod receive;
mod renewal;
mod write;

pub(crate) use app_channels::AppChannels;
pub(crate) use command::ClientCommand;
pub(crate) use live::{ClientSession, SessionEnd, SessionSummary};
pub(crate) use open::{Opened, open};
pub(crate) use outbox::{ClientOutbox, QueueEvent};
pub(crate) use renewal::TokenRenewal;
