//! What is wrong with an input, and where.

use serde::Serialize;

/// One thing that is wrong, at a JSON pointer (RFC 6901) into the body, or at `/name` of a query
/// parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where.
    pub pointer: String,
    /// What.
    pub message: String,
}

impl FieldError {
    /// An error at `pointer`.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into(),
        }
    }
}

/// Collects everything that is wrong with an input, so that a caller sees all of it at once.
#[derive(Debug, Default)]
pub struct Fields(Vec<FieldError>);

impl Fields {
    /// Notes `message` at `pointer` unless `holds`.
    pub fn require(&mut self, holds: bool, pointer: impl Into<String>, message: impl Into<String>) {
        if !holds {
            self.0.push(FieldError::new(pointer, message));
        }
    }

    /// A text of `min` to `max` characters, none of them a control character other than line breaks
    /// and tabs.
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

    /// Reads an id, noting where it is none.
    pub fn id<T: std::str::FromStr>(&mut self, text: Option<&str>, pointer: &str) -> Option<T> {
        let id = text?.parse().ok();
        self.require(
            id.is_some(),
            pointer,
            "must be 1 to 64 characters of A-Z a-z 0-9 _ -",
        );
        id
    }

    /// The value, where nothing was noted.
    ///
    /// # Errors
    /// Everything that was noted.
    pub fn check<T>(self, value: T) -> Result<T, Vec<FieldError>> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self.0)
        }
    }
}
