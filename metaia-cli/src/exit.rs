//! How a command ended: stable exit codes, and failures that carry theirs from where they happen.

use std::process::ExitCode;

use metaia_realtime::client::{BoxError, ConnectError, GaveUp, SendError};

/// The meaning of an exit code. Documented in `metaia --help`; scripts rely on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Ok = 0,
    Failed = 1,
    Usage = 2,
    Unreachable = 3,
    Unauthenticated = 4,
    Denied = 5,
    /// What was expected did not happen, or events were missed.
    Unexpected = 6,
    TimedOut = 7,
    Interrupted = 130,
}

/// For `--help`.
pub(crate) const CODES: &str = "\
Exit codes:
  0 ok · 1 failed · 2 usage · 3 could not connect · 4 authentication · 5 permission
  6 expectation not met or gap · 7 timed out · 130 interrupted";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    message: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    source: Option<BoxError>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
            source: None,
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    pub(crate) fn caused_by(self, source: impl Into<BoxError>) -> Self {
        Self {
            source: Some(source.into()),
            ..self
        }
    }

    /// The reader of standard output has gone: the command ends without a word.
    pub(crate) fn nobody_reads() -> Self {
        Self::new(Exit::Ok, "")
    }

    /// The message and its causes, in one line. Some crates repeat the cause in their own text; it
    /// is then said once.
    pub(crate) fn chain(&self) -> String {
        let first: &dyn std::error::Error = self;
        let causes = std::iter::successors(Some(first), |error| error.source());
        causes
            .map(ToString::to_string)
            .fold(String::new(), |said, next| match said.as_str() {
                "" => next,
                earlier if earlier.ends_with(&next) => said,
                earlier => format!("{earlier}: {next}"),
            })
    }

    /// Nobody answered, or nobody who can be trusted.
    pub(crate) fn unreachable(source: impl Into<BoxError>) -> Self {
        let failure = Self::new(Exit::Unreachable, "no connection").caused_by(source);
        let hint = if failure.chain().contains("certificate") {
            "is the certificate's authority trusted here? SSL_CERT_FILE names a file with more of them"
        } else {
            "is the server running, and --url its address?"
        };
        failure.hint(hint)
    }
}

/// What a refusal of the CONNECT means: everything but an unknown role is about the token.
fn refusal(message: &str) -> Exit {
    if message == "forbidden" {
        Exit::Denied
    } else {
        Exit::Unauthenticated
    }
}

fn token_hint(message: &str) -> Option<String> {
    let hint = match message {
        "unauthorized" => {
            "the server knows another secret, or the token is damaged: `metaia token inspect` says which"
        }
        "token_expired" => "mint a new one: `metaia token mint`, or use --as",
        _ => return None,
    };
    Some(hint.to_owned())
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        if matches!(error, ConnectError::Unreachable(_)) {
            return Self::unreachable(error);
        }
        let (exit, hint) = match &error {
            ConnectError::Refused { message, .. } => (refusal(message), token_hint(message)),
            ConnectError::Http { status: 401, .. } => (Exit::Unauthenticated, None),
            ConnectError::Invalid(_) => (Exit::Usage, None),
            ConnectError::Credentials(_) => (Exit::Failed, None),
            _ => (Exit::Unreachable, None),
        };
        Self {
            hint,
            ..Self::new(exit, "no connection").caused_by(error)
        }
    }
}

impl From<GaveUp> for Failure {
    fn from(reason: GaveUp) -> Self {
        match &reason {
            GaveUp::Refused { message, .. } => Self {
                hint: token_hint(message),
                ..Self::new(refusal(message), reason.to_string())
            },
            GaveUp::ServerDisconnect => Self::new(Exit::Failed, reason.to_string()),
            _ => Self::new(Exit::Unreachable, reason.to_string()),
        }
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        let exit = if matches!(error, SendError::Timeout(_)) {
            Exit::TimedOut
        } else {
            Exit::Failed
        };
        Self::new(exit, "the server did not answer").caused_by(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(failure: Failure, exit: Exit, chain: &str) {
        assert_eq!((failure.exit, failure.chain().as_str()), (exit, chain));
    }

    fn refused(message: &str) -> ConnectError {
        ConnectError::Refused {
            message: message.to_owned(),
            data: None,
        }
    }

    #[test]
    fn a_refused_token_is_an_authentication_failure() {
        let chain = "no connection: the server refused the connection: unauthorized";
        check(refused("unauthorized").into(), Exit::Unauthenticated, chain);
        let chain = "no connection: the server refused the connection: forbidden";
        check(refused("forbidden").into(), Exit::Denied, chain);
    }

    #[test]
    fn an_address_that_nobody_has_is_no_connection() {
        let error = ConnectError::Unreachable("connection refused".into());
        check(
            error.into(),
            Exit::Unreachable,
            "no connection: the server could not be reached: connection refused",
        );
    }

    #[test]
    fn a_cause_is_said_once() {
        let error = std::io::Error::other("certificate unknown");
        let failure = Failure::unreachable(
            Failure::new(Exit::Failed, "IO: certificate unknown").caused_by(error),
        );
        assert_eq!(failure.chain(), "no connection: IO: certificate unknown");
        assert!(failure.hint.unwrap().contains("SSL_CERT_FILE"));
    }

    #[test]
    fn a_session_that_the_server_ended_has_failed() {
        check(
            GaveUp::ServerDisconnect.into(),
            Exit::Failed,
            "the server ended the session",
        );
    }
}
