//! The reasons why a connection is lost.

use std::io;

use crate::{session::EndReason, transport::socketio::websocket::BadFrame};

/// The reason why a connection is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Lost {
    /// The client has gone.
    Gone,
    /// The client has sent a close frame, which is answered.
    Closed,
    /// The client has closed the session of Engine.IO.
    Left,
    /// The client takes nothing.
    Slow,
    PingTimeout,
    /// The client has sent too much.
    TooMuch,
    /// The client has sent a frame that it must not send.
    BadFrame(BadFrame),
    /// The client has sent a packet that it must not send.
    BadPacket,
    /// Another connection of the client has failed, over which it polled before.
    Elsewhere(EndReason),
}

impl Lost {
    /// Returns why a session of the connection ends.
    pub(in super::super) const fn end_reason(self) -> EndReason {
        match self {
            Self::Gone | Self::Closed | Self::Left | Self::BadFrame(_) | Self::BadPacket => {
                EndReason::TransportLost
            }
            Self::Slow => EndReason::Slow,
            Self::PingTimeout => EndReason::PingTimeout,
            Self::TooMuch => EndReason::RateLimited,
            Self::Elsewhere(reason) => reason,
        }
    }

    /// Returns the reason that an error of the stream gives.
    pub(super) const fn by(error: io::ErrorKind) -> Self {
        match error {
            io::ErrorKind::TimedOut => Self::Slow,
            _ => Self::Gone,
        }
    }
}
