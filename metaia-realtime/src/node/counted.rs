//! Codes that stand in counts alone.

use crate::{log::LogError, values::codes};

codes! {
    /// The outcome of a join of an order's room.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum JoinOutcome {
        Allowed = "allowed",
        Denied = "denied",
        /// The policy could not decide, or the session has ended.
        Undecided = "unavailable",
    }
}

codes! {
    /// The source of the entries in a step of catching up.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum CatchUpSource {
        Window = "window",
        Log = "log",
    }
}

codes! {
    /// The kind of a transport, which packets go over.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum TransportKind {
        WebSocket = "websocket",
        Polling = "polling",
    }
}

codes! {
    /// The outcome of an append that failed.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum AppendFailure {
        /// Nothing was stored.
        Unavailable = "unavailable",
        /// The entries may have been stored.
        Unknown = "unknown",
    }
}

impl From<&LogError> for AppendFailure {
    fn from(error: &LogError) -> Self {
        match error {
            LogError::Unavailable(_) => Self::Unavailable,
            LogError::Unknown(_) => Self::Unknown,
        }
    }
}
