//! The ends of steps and scenarios.

use std::sync::Arc;
use std::time::Duration;

use crate::exit::{Exit, Failure};
use crate::source_file::{FilePosition, SourceFile};
use crate::verdict::{NotMet, Unmet, UnmetKind};

/// A place in a scenario file.
#[derive(Debug, Clone)]
pub(crate) struct Spot {
    pub(crate) file: Arc<SourceFile>,
    pub(crate) position: FilePosition,
}

impl Spot {
    /// Returns another place in the same file.
    pub(crate) fn at(&self, position: &FilePosition) -> Self {
        Self {
            file: self.file.clone(),
            position: position.clone(),
        }
    }
}

/// The reason why a scenario did not pass.
#[derive(Debug)]
pub(crate) enum StepFailure {
    /// An expectation was not met.
    Failed(Box<Shortfall>),
    /// It could not be judged.
    Unjudged(Box<Unjudged>),
}

/// An expectation that was not met, with its place.
#[derive(Debug)]
pub(crate) struct Shortfall {
    pub(crate) unmet: Unmet,
    pub(crate) spot: Spot,
}

/// Something that could not be judged.
#[derive(Debug)]
pub(crate) struct Unjudged {
    pub(crate) spot: Spot,
    pub(crate) failure: Failure,
}

impl StepFailure {
    pub(crate) fn failed(unmet: Unmet, spot: Spot) -> Self {
        Self::Failed(Box::new(Shortfall { unmet, spot }))
    }

    /// Returns the failure of an answer that is not the expected one.
    pub(crate) fn answer(spot: Spot, label: impl Into<String>) -> Self {
        Self::failed(Unmet::new(UnmetKind::Answer, label), spot)
    }

    pub(crate) fn of(not_met: NotMet, spot: Spot) -> Self {
        match not_met {
            NotMet::Unmet(unmet) => Self::failed(unmet, spot),
            NotMet::Unjudged(failure) => Self::unjudged(spot, failure),
        }
    }

    pub(crate) fn unjudged(spot: Spot, failure: Failure) -> Self {
        Self::Unjudged(Box::new(Unjudged { spot, failure }))
    }

    /// Adds lines that say what came instead.
    pub(crate) fn details(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        if let Self::Failed(shortfall) = &mut self {
            shortfall.unmet.details.extend(lines);
        }
        self
    }

    /// Returns the exit code: 6 for an unmet expectation.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Failed(_) => Exit::Unexpected,
            Self::Unjudged(unjudged) => unjudged.failure.exit,
        }
    }

    pub(crate) fn spot(&self) -> &Spot {
        match self {
            Self::Failed(shortfall) => &shortfall.spot,
            Self::Unjudged(unjudged) => &unjudged.spot,
        }
    }
}

/// A step that was carried out.
#[derive(Debug, Clone)]
pub(crate) struct StepRecord {
    /// From 1, in the order of their ends.
    pub(crate) number: usize,
    /// Such as `move → ready`.
    pub(crate) label: String,
    /// Since the run began.
    pub(crate) began: Duration,
    /// Since the run began.
    pub(crate) ended: Duration,
}
