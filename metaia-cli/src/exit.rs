//! Exit codes, and failures that carry the exit code of the command.

use std::fmt;
use std::process::ExitCode;

use metaia_realtime::client::{BoxError, SendError};

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
  0 ok · 1 failed · 2 usage · 3 not connected · 4 authentication · 5 permission
  6 expectation not met or gap · 7 timed out · 130 interrupted
  For sockets and REST alike: 3 is also a redirect, a page of a proxy, HTTP 502, 503, 504;
  4 is HTTP 401, 5 is HTTP 403, 1 is any other refusal of the server";

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
    /// The lines of a file that point at the mistake.
    pub(crate) excerpt: Option<String>,
    /// The HTTP status of a refused REST request.
    pub(crate) status: Option<u16>,
    /// True if the failure is a server's or its context's, so that the address belongs into the
    /// message.
    is_from_server: bool,
    source: Option<BoxError>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
            excerpt: None,
            status: None,
            is_from_server: false,
            source: None,
        }
    }

    /// Returns the same failure, as one that a server, the way to it or its context caused.
    pub(crate) fn of_server(self) -> Self {
        Self {
            is_from_server: true,
            ..self
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

    pub(crate) fn excerpt(self, excerpt: String) -> Self {
        Self {
            excerpt: Some(excerpt),
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

    /// Begins the message with the server's address, if a server caused this failure or its cause.
    pub(crate) fn at_server(self, address: &impl fmt::Display) -> Self {
        if self.is_caused_by_server() {
            self.at(address)
        } else {
            self
        }
    }

    /// Begins the message with an address.
    pub(crate) fn at(self, address: &impl fmt::Display) -> Self {
        Self {
            message: format!("{address}: {}", self.message),
            ..self
        }
    }

    fn is_caused_by_server(&self) -> bool {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(cause) = next {
            if let Some(failure) = cause.downcast_ref::<Self>()
                && failure.is_from_server
            {
                return true;
            }
            next = cause.source();
        }
        false
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        let exit = if matches!(error, SendError::Timeout(_)) {
            Exit::TimedOut
        } else {
            Exit::Failed
        };
        Self::new(exit, "the server did not answer")
            .caused_by(error)
            .of_server()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(failure: Failure, exit: Exit, chain: &str) {
        assert_eq!((failure.exit, failure.chain().as_str()), (exit, chain));
    }

    #[test]
    fn a_failure_of_the_server_begins_with_its_address() {
        let failure = Failure::new(Exit::Unreachable, "no program listens there").of_server();
        let step = Failure::new(Exit::Unreachable, "place the order").caused_by(failure);
        let chain = "http://h (from --url): place the order: no program listens there";
        check(
            step.at_server(&"http://h (from --url)"),
            Exit::Unreachable,
            chain,
        );
        let usage = Failure::usage("no role and no token given");
        check(
            usage.at_server(&"http://h"),
            Exit::Usage,
            "no role and no token given",
        );
    }

    #[test]
    fn a_repeated_cause_is_printed_once() {
        let error = std::io::Error::other("certificate unknown");
        let cause = Failure::new(Exit::Failed, "IO: certificate unknown").caused_by(error);
        let failure = Failure::new(Exit::Failed, "no connection").caused_by(cause);
        assert_eq!(failure.chain(), "no connection: IO: certificate unknown");
    }
}
