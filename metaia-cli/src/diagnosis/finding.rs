//! The result of a diagnosis.

use crate::exit::{Exit, Failure};

/// The reason for a failure, for a person who has to do something about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    pub(crate) exit: Exit,
    /// Completes "http://…: …".
    pub(crate) cause: String,
    pub(crate) advice: Option<String>,
}

impl Diagnosis {
    pub(super) fn new(exit: Exit, cause: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            exit,
            cause: cause.into(),
            advice: Some(advice.into()),
        }
    }

    pub(super) fn without_advice(exit: Exit, cause: impl Into<String>) -> Self {
        Self {
            exit,
            cause: cause.into(),
            advice: None,
        }
    }

    pub(super) fn unreachable(cause: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(Exit::Unreachable, cause, advice)
    }

    /// Adds a sentence to the advice.
    pub(super) fn and(self, sentence: &str) -> Self {
        let advice = match self.advice {
            Some(advice) => format!("{advice}. {sentence}"),
            None => sentence.to_owned(),
        };
        Self {
            advice: Some(advice),
            ..self
        }
    }
}

impl From<Diagnosis> for Failure {
    fn from(found: Diagnosis) -> Self {
        let failure = Self::new(found.exit, found.cause).of_server();
        match found.advice {
            Some(advice) => failure.hint(advice),
            None => failure,
        }
    }
}
