//! The result of one check.

use std::time::Duration;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::check::DoctorCheck;
use crate::diagnosis::Diagnosis;
use crate::exit::Exit;

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CheckState {
    Good,
    /// It does not stop the client.
    Warning,
    /// It stops the client.
    Problem(Exit),
    /// The check was not made.
    Untried,
}

/// One check, with what was found, and for what is not good its cause and its cure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(super) check: DoctorCheck,
    pub(super) state: CheckState,
    pub(super) found: String,
    pub(super) cause: Option<String>,
    pub(super) fix: Option<String>,
    pub(super) took: Option<Duration>,
}

impl Finding {
    fn new(check: DoctorCheck, state: CheckState, found: impl Into<String>) -> Self {
        Self {
            check,
            state,
            found: found.into(),
            cause: None,
            fix: None,
            took: None,
        }
    }

    pub(super) fn good(check: DoctorCheck, found: impl Into<String>) -> Self {
        Self::new(check, CheckState::Good, found)
    }

    pub(super) fn warning(
        check: DoctorCheck,
        found: impl Into<String>,
        cause: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            cause: Some(cause.into()),
            fix: Some(fix.into()),
            ..Self::new(check, CheckState::Warning, found)
        }
    }

    pub(super) fn problem(
        check: DoctorCheck,
        found: impl Into<String>,
        diagnosis: Diagnosis,
    ) -> Self {
        Self {
            cause: Some(diagnosis.cause),
            fix: diagnosis.advice,
            ..Self::new(check, CheckState::Problem(diagnosis.exit), found)
        }
    }

    /// Returns the finding of a check that cannot be made.
    pub(super) fn not_tried(check: DoctorCheck, why: impl AsRef<str>) -> Self {
        let found = format!("not tried: {}", why.as_ref());
        Self::new(check, CheckState::Untried, found)
    }

    /// Returns the finding of a check that nobody asked for. `how` tells how to ask for it.
    pub(super) fn not_asked_for(check: DoctorCheck, how: &str) -> Self {
        let found = format!("not asked for: {how}");
        Self::new(check, CheckState::Untried, found)
    }

    pub(super) fn took(self, took: Duration) -> Self {
        Self {
            took: Some(took),
            ..self
        }
    }

    /// Returns the same finding for a client that does not need what was checked.
    pub(super) fn unless(self, is_needed: bool) -> Self {
        match self.state {
            CheckState::Problem(_) if !is_needed => Self {
                state: CheckState::Warning,
                ..self
            },
            _ => self,
        }
    }

    /// Returns the exit code of a problem.
    pub(crate) fn exit(&self) -> Option<Exit> {
        match self.state {
            CheckState::Problem(exit) => Some(exit),
            _ => None,
        }
    }

    pub(super) fn is_problem(&self) -> bool {
        self.exit().is_some()
    }

    fn ok(&self) -> Option<bool> {
        match self.state {
            CheckState::Good | CheckState::Warning => Some(true),
            CheckState::Problem(_) => Some(false),
            CheckState::Untried => None,
        }
    }
}

/// Formats a short time.
pub(super) fn in_ms(time: Duration) -> String {
    match time.as_millis() {
        0 => "<1 ms".to_owned(),
        ms => format!("{ms} ms"),
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ms = self.took.map(|took| took.as_millis());
        let mut members = serializer.serialize_struct("Finding", 6)?;
        members.serialize_field("id", self.check.id())?;
        members.serialize_field("ok", &self.ok())?;
        members.serialize_field("found", &self.found)?;
        members.serialize_field("cause", &self.cause)?;
        members.serialize_field("fix", &self.fix)?;
        members.serialize_field("ms", &ms)?;
        members.end()
    }
}
