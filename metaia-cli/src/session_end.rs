//! The known reasons for which a session is not live, and what to do about each.

use metaia_realtime::client::{DisconnectReason, Update};

use crate::connection_words::end_meaning;
use crate::terminal::one_line;

/// The reason why a session is not live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SessionEnd {
    /// The server ended it, with this code.
    ByServer(String),
    /// `/drop` cut its connection.
    Dropped,
}

impl SessionEnd {
    /// Returns the reason that an update gives; `None` if it gives none.
    pub(crate) fn of(update: &Update) -> Option<Self> {
        match update {
            Update::End(end) => Some(Self::ByServer(end.code.clone())),
            Update::Disconnected(DisconnectReason::Dropped) => Some(Self::Dropped),
            _ => None,
        }
    }

    /// Returns the reason as the end of a sentence about the session.
    pub(crate) fn cause(&self) -> String {
        match self {
            Self::ByServer(code) => {
                format!(
                    "the server ended it: {}{}",
                    one_line(code),
                    end_meaning(code)
                )
            }
            Self::Dropped => "/drop cut the connection".to_owned(),
        }
    }

    pub(crate) fn advice(&self) -> &'static str {
        let code = match self {
            Self::ByServer(code) => code.as_str(),
            Self::Dropped => return "wait until the session is live again, as by /wait 5s",
        };
        match code {
            "too_many_sessions" => "end other sessions of this user, or use another user",
            "rate_limited" => "send fewer events, or with pauses",
            "token_expired" => "use a token that lives longer, or --as, which mints new ones",
            "token_revoked" => "the token was revoked: sign in again for a new one",
            "replaced" => "another session of the same device took its place: end that one",
            "unavailable" => "read the server's log, then run the command again",
            "draining" => "run the command again when the server is back",
            _ => "find out who ended it, then run the command again",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_its_cause_and_its_advice() {
        let by_server = |code: &str| SessionEnd::ByServer(code.to_owned());
        for (end, cause, advice) in [
            (by_server("kicked"), "kicked (an admin", "who ended it"),
            (
                by_server("too_many_sessions"),
                "has more sessions",
                "other sessions",
            ),
            (
                by_server("of_a_newer_server"),
                "of_a_newer_server",
                "who ended it",
            ),
            (SessionEnd::Dropped, "/drop", "/wait"),
        ] {
            assert!(end.cause().contains(cause), "{end:?}");
            assert!(end.advice().contains(advice), "{end:?}");
        }
    }

    #[test]
    fn a_loss_without_a_reason_is_none() {
        let lost = |reason| SessionEnd::of(&Update::Disconnected(reason));
        assert_eq!(lost(DisconnectReason::Dropped), Some(SessionEnd::Dropped));
        assert_eq!(lost(DisconnectReason::PingTimeout), None);
    }
}
