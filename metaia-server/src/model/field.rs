//! Errors of an input, each with its place.

use serde::Serialize;

/// One error of an input, at a JSON pointer (RFC 6901) into the body, or at `/name` for a query
/// parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// The place.
    pub pointer: String,
    /// The reason.
    pub message: String,
}

impl FieldError {
    /// Returns an error at `pointer`.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into(),
        }
    }
}

/// Collects all errors of an input, so that a caller sees them at once.
#[derive(Debug, Default)]
pub struct Fields(Vec<FieldError>);

impl Fields {
    /// Adds `message` at `pointer` unless `holds`.
    pub fn require(&mut self, holds: bool, pointer: impl Into<String>, message: impl Into<String>) {
        if !holds {
            self.0.push(FieldError::new(pointer, message));
        }
    }

    /// Requires a text of `min` to `max` characters, without control characters other than line
    /// breaks and tabs.
    pub fn text(&mut self, text: &str, min: usize, max: usize, pointer: impl Into<String>) {
        let length = text.chars().count();
        let printable = text
            .chars()
            .all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
        let blank = min > 0 && text.trim().is_empty();
        self.require(
            (min..=max).contains(&length) && printable && !blank,
            pointer,
            format!("must be {min} to {max} characters, not blank, without control characters"),
        );
    }

    /// Parses an id, and adds an error if it is malformed.
    pub fn id<T: std::str::FromStr>(&mut self, text: Option<&str>, pointer: &str) -> Option<T> {
        let id = text?.parse().ok();
        self.require(
            id.is_some(),
            pointer,
            "must be 1 to 64 characters of A-Z a-z 0-9 _ -",
        );
        id
    }

    /// Returns `value` if there is no error.
    ///
    /// # Errors
    /// Returns all errors that were added.
    pub fn check<T>(self, value: T) -> Result<T, Vec<FieldError>> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self.0)
        }
    }
}
