//! The result of a diagnosis.

use crate::exit::{Exit, Failure};

/// The reason for a failure, for a person who has to do something about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    pub(crate) exit: Exit,
    /// Completes "http://…: …".
    pub(crate) cause: String,
    pub(crate) cure: Option<String>,
}

impl Diagnosis {
    pub(super) fn new(exit: Exit, cause: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            exit,
            cause: cause.into(),
            cure: Some(cure.into()),
        }
    }

    pub(super) fn without_cure(exit: Exit, cause: impl Into<String>) -> Self {
        Self {
            exit,
            cause: cause.into(),
            cure: None,
        }
    }

    pub(super) fn unreachable(cause: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::new(Exit::Unreachable, cause, cure)
    }

    pub(super) fn and(self, advice: &str) -> Self {
        let cure = match self.cure {
            Some(cure) => format!("{cure}. {advice}"),
            None => advice.to_owned(),
        };
        Self {
            cure: Some(cure),
            ..self
        }
    }
}

impl From<Diagnosis> for Failure {
    fn from(found: Diagnosis) -> Self {
        let failure = Self::new(found.exit, found.cause).of_server();
        match found.cure {
            Some(cure) => failure.hint(cure),
            None => failure,
        }
    }
}
