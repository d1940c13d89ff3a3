//! Errors that repeat little of the request: otherwise small requests would have large answers.
//!
//! An error repeats at most 64 characters of what was sent, and no more than 128 bytes of JSON.
//! What the server itself says, such as the expected values, stays whole.

use std::borrow::Cow;

use crate::model::FieldError;

/// The most errors of one answer.
pub(crate) const MAX_ERRORS: usize = 20;

/// The most characters of one text of the request.
const MAX_CHARS: usize = 64;

/// The most bytes of one text of the request, as JSON.
const MAX_JSON_BYTES: usize = 128;

/// The longest message. A text of the request that looks like a part of serde's message could
/// otherwise pass as one.
const MAX_MESSAGE_CHARS: usize = 512;

/// The words that serde writes after the text of the request.
const AFTER_SENT: &str = ", expected ";

/// Returns the first errors, each of them shortened.
pub(crate) fn shortened(errors: Vec<FieldError>) -> Vec<FieldError> {
    let first = errors.into_iter().take(MAX_ERRORS);
    first.map(shorten).collect()
}

fn shorten(error: FieldError) -> FieldError {
    FieldError {
        pointer: cut(&error.pointer).into_owned(),
        message: shorten_message(&error.message),
    }
}

/// Shortens the text of the request that serde quotes in its message.
fn shorten_message(message: &str) -> String {
    let Some(start) = message.find(['`', '"']).map(|quote| quote + 1) else {
        return message.chars().take(MAX_MESSAGE_CHARS).collect();
    };
    let end = message.rfind(AFTER_SENT).filter(|end| *end >= start);
    let (sent, after) = message[start..].split_at(end.unwrap_or(message.len()) - start);
    let whole = format!("{}{}{after}", &message[..start], cut(sent));
    whole.chars().take(MAX_MESSAGE_CHARS).collect()
}

/// Returns the beginning of a text, with a mark if it is not the whole text.
fn cut(text: &str) -> Cow<'_, str> {
    let mut bytes = 0;
    for (number, (at, character)) in text.char_indices().enumerate() {
        bytes += json_bytes(character);
        if number == MAX_CHARS || bytes > MAX_JSON_BYTES {
            return Cow::Owned(format!("{}…", &text[..at]));
        }
    }
    Cow::Borrowed(text)
}

/// Returns the most bytes that a character takes in a JSON string.
const fn json_bytes(character: char) -> usize {
    match character {
        '\0'..='\u{1f}' => 6,
        '"' | '\\' => 2,
        _ => character.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(text: &str) -> String {
        shorten(FieldError::new("", text)).message
    }

    #[test]
    fn what_is_short_stays() {
        let error = FieldError::new("/items/0/price", "must be positive");
        assert_eq!(shortened(vec![error.clone()]), [error]);
        let text = "unknown variant `a`, expected one of `pending`, `ready`";
        assert_eq!(message(text), text);
    }

    #[test]
    fn what_was_sent_is_cut_and_what_is_expected_stays() {
        let long = "x".repeat(1_000);
        let kept = "x".repeat(64);
        for (text, expected) in [
            (
                format!("unknown field `{long}`, expected `a` or `b`"),
                format!("unknown field `{kept}…, expected `a` or `b`"),
            ),
            (
                format!("invalid type: string \"{long}\", expected a number"),
                format!("invalid type: string \"{kept}…, expected a number"),
            ),
            (
                format!("unknown field `{long}`, there are no fields"),
                format!("unknown field `{kept}…"),
            ),
        ] {
            assert_eq!(message(&text), expected);
        }
        let pointer = shorten(FieldError::new(format!("/{long}"), "")).pointer;
        assert_eq!(pointer, format!("/{}…", &kept[1..]));
    }

    #[test]
    fn at_most_twenty_errors_are_listed() {
        let errors = vec![FieldError::new("/a", "b"); 5_000];
        assert_eq!(shortened(errors).len(), 20);
    }

    proptest! {
        /// Whatever was sent, and however serde's text looks around it.
        #[test]
        fn an_error_is_never_long(
            sent in ".{0,400}",
            pointer in ".{0,400}",
            controls in "[\u{0}-\u{1f}]{0,200}",
        ) {
            for text in [sent.clone(), format!("`{sent}`{controls}, expected {sent}")] {
                let error = shorten(FieldError::new(format!("{controls}{pointer}"), text));
                prop_assert!(error.message.chars().count() <= MAX_MESSAGE_CHARS);
                prop_assert!(error.pointer.chars().count() <= MAX_CHARS + 1);
                let json = serde_json::to_string(&error.pointer).unwrap();
                prop_assert!(json.len() <= MAX_JSON_BYTES + 8, "{json}");
            }
        }
    }
}
