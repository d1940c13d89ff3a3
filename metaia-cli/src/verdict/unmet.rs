//! The reasons why an expectation was not met.

use crate::exit::Failure;

/// The reason why an expectation was not met.
#[derive(Debug)]
pub(crate) enum NotMet {
    Unmet(Unmet),
    /// It could not be judged.
    Unjudged(Failure),
}

/// An expectation that was not met.
#[derive(Debug)]
pub(crate) struct Unmet {
    pub(crate) kind: UnmetKind,
    /// The fault, in a few words.
    pub(crate) label: String,
    /// The events that came instead, in lines.
    pub(crate) details: Vec<String>,
}

/// The kind of an unmet expectation, as reports name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnmetKind {
    /// Too few events came.
    Missing,
    /// Too many came.
    TooMany,
    /// An event came that must not.
    Never,
    /// Events came in another order.
    Order,
    /// The event came after its time.
    Late,
    /// Other events came than those that were asked for.
    Others,
    /// Events were missed for good, so that nothing is proven.
    Gap,
    /// The condition was judged on no event at all.
    Vacuous,
    /// A request, a join, a connection or a program ended otherwise.
    Answer,
}

impl UnmetKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::TooMany => "too_many",
            Self::Never => "never",
            Self::Order => "order",
            Self::Late => "late",
            Self::Others => "only",
            Self::Gap => "gap",
            Self::Vacuous => "vacuous",
            Self::Answer => "answer",
        }
    }
}

impl Unmet {
    pub(crate) fn new(kind: UnmetKind, label: impl Into<String>) -> Self {
        Self {
            kind,
            label: label.into(),
            details: Vec::new(),
        }
    }

    /// Adds lines that say what came instead.
    pub(crate) fn details(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(lines);
        self
    }
}

impl From<Unmet> for NotMet {
    fn from(unmet: Unmet) -> Self {
        Self::Unmet(unmet)
    }
}
