//! The error of a text that is no filter.

use std::ops::Range;

/// A text that is no filter that is offered here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct InvalidFilter {
    pub(crate) message: String,
    /// The bytes of the text that are wrong; empty, at its end, if something is missing.
    pub(crate) span: Range<usize>,
    pub(crate) hint: Option<String>,
}

impl InvalidFilter {
    pub(super) fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self {
            message: message.into(),
            span,
            hint: None,
        }
    }

    /// Adds the hint if there is one.
    pub(super) fn hint(self, hint: Option<String>) -> Self {
        Self { hint, ..self }
    }
}

/// Returns the place of a part in the text. A part of another text has the place of the whole text.
pub(super) fn span(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr());
    start
        .map(|start| start..start + part.len())
        .filter(|span| text.get(span.clone()) == Some(part))
        .unwrap_or(0..text.len())
}
