//! Exit codes, and failures that carry the exit code of the command.

use std::process::ExitCode;

use metaia_realtime::client::{BoxError, ConnectError, GaveUp, SendError};

/// An exit code. Documented in `metaia --help`; scripts rely on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Ok = 0,
    Failed = 1,
    Usage = 2,
    Unreachable = 3,
    Unauthenticated = 4,
    Denied = 5,
    /// An expectation was not met, or events were missed.
    Unexpected = 6,
    TimedOut = 7,
    Interrupted = 130,
}

/// The exit codes as `--help` shows them.
pub(crate) const CODES: &str = "\
Exit codes:
  0 ok · 1 failed · 2 usage · 3 could not connect · 4 authentication · 5 permission
  6 expectation not met or gap · 7 timed out · 130 interrupted";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The reason why a command failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    message: String,
    /// Advice on how to fix it.
    pub(crate) hint: Option<String>,
    /// The HTTP status of a refused REST request.
    pub(crate) status: Option<u16>,
    source: Option<BoxError>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
            status: None,
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

    pub(crate) fn status(self, status: u16) -> Self {
        Self {
            status: Some(status),
            ..self
        }
    }

    /// Puts a message before the failure, such as the step that failed. Exit code and hint stay.
    pub(crate) fn within(self, message: impl Into<String>) -> Self {
        let hint = self.hint.clone();
        Self {
            hint,
            ..Self::new(self.exit, message).caused_by(self)
        }
    }

    /// Replaces the exit code.
    pub(crate) fn exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    pub(crate) fn caused_by(self, source: impl Into<BoxError>) -> Self {
        Self {
            source: Some(source.into()),
            ..self
        }
    }

    /// Returns the failure that ends a command silently because standard output is closed, as by
    /// `| head`.
    pub(crate) fn output_closed() -> Self {
        Self::new(Exit::Ok, "")
    }

    /// Returns the message and its causes in one line. Some crates repeat the cause in their own
    /// text; such a cause is left out.
    pub(crate) fn chain(&self) -> String {
        let mut chain = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let text = error.to_string();
            if chain.is_empty() {
                chain = text;
            } else if !chain.ends_with(&text) {
                chain = format!("{chain}: {text}");
            }
            cause = error.source();
        }
        chain
    }

    /// Returns the failure for a server that cannot be reached, or whose certificate is not
    /// trusted.
    pub(crate) fn unreachable(source: impl Into<BoxError>) -> Self {
        let failure = Self::new(Exit::Unreachable, "no connection").caused_by(source);
        let hint = if failure.chain().contains("certificate") {
            "if the certificate's authority is not trusted here, \
             set SSL_CERT_FILE to a file that contains it"
        } else {
            "check that the server is running and that --url is its address"
        };
        failure.hint(hint)
    }
}

/// Returns the exit code for a refused CONNECT. Each refusal but `forbidden` concerns the token.
fn exit_of_refusal(message: &str) -> Exit {
    if message == "forbidden" {
        Exit::Denied
    } else {
        Exit::Unauthenticated
    }
}

fn token_hint(message: &str) -> Option<String> {
    let hint = match message {
        "unauthorized" => {
            "the server has a different secret, or the token is damaged: \
             `metaia token inspect` shows which"
        }
        "token_expired" => "mint a new one with `metaia token mint`, or use --as",
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
            ConnectError::Refused { message, .. } => {
                (exit_of_refusal(message), token_hint(message))
            }
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
                ..Self::new(exit_of_refusal(message), reason.to_string())
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
    fn an_unused_address_is_no_connection() {
        let error = ConnectError::Unreachable("connection refused".into());
        check(
            error.into(),
            Exit::Unreachable,
            "no connection: the server could not be reached: connection refused",
        );
    }

    #[test]
    fn a_repeated_cause_is_printed_once() {
        let error = std::io::Error::other("certificate unknown");
        let failure = Failure::unreachable(
            Failure::new(Exit::Failed, "IO: certificate unknown").caused_by(error),
        );
        assert_eq!(failure.chain(), "no connection: IO: certificate unknown");
        assert!(failure.hint.unwrap().contains("SSL_CERT_FILE"));
    }

    #[test]
    fn a_session_ended_by_the_server_is_a_failure() {
        check(
            GaveUp::ServerDisconnect.into(),
            Exit::Failed,
            "the server ended the session",
        );
    }
}
