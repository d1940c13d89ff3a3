//! One line of a file of contexts, to point at a mistake. A value may be a secret that somebody has
//! written into the file, so only what is no value is shown.

use std::ops::Range;

use super::server_context::MEMBERS;
use crate::source_file::{FilePosition, SourceFile};

/// Words that are keys of the format or values of two kinds, and no secrets.
const SHOWN: [&str; 9] = [
    "env", "file", "cmd", "true", "false", "customer", "admin", "tailor", "delivery",
];

/// The text in place of a value.
const MASK: &str = "…";

/// Formats the line of a position, which points at a key if `is_key`, with all values masked.
pub(super) fn excerpt(file: &SourceFile, position: &FilePosition, is_key: bool) -> String {
    let line = line_of(&file.text, position.bytes.start);
    let text = &file.text[line.clone()];
    let start = position.bytes.start - line.start;
    let end = position.bytes.end.clamp(position.bytes.start, line.end) - line.start;
    // Before a mark in the middle of a character there is nothing to show.
    let (Some(before), Some(marked), Some(after)) =
        (text.get(..start), text.get(start..end), text.get(end..))
    else {
        return String::new();
    };
    let is_header = text.trim_start().starts_with('[');
    let mut masked = mask(before, is_header);
    let mark = masked.len();
    if is_key {
        masked.push_str(marked);
    } else {
        masked.push_str(&mask(marked, is_header));
    }
    let marked = masked.len();
    masked.push_str(&mask(after, is_header));
    // A place between two characters is marked by the one behind it.
    let next = masked[marked..].chars().next().map_or(0, char::len_utf8);
    let end = if marked == mark { mark + next } else { marked };
    SourceFile {
        path: file.path.clone(),
        text: masked,
    }
    .excerpt_of_line(position.line, mark..end)
}

fn line_of(text: &str, at: usize) -> Range<usize> {
    let at = at.min(text.len());
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let end = text.get(start..).unwrap_or_default().find('\n');
    start..end.map_or(text.len(), |end| start + end)
}

/// Replaces each word and each quoted text, except for the keys of the format. A header stays as it
/// is.
fn mask(text: &str, is_header: bool) -> String {
    if is_header {
        return text.to_owned();
    }
    let mut masked = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' | '\'' => quoted(rest, first),
            c if is_punctuation(c) => c.len_utf8(),
            _ => rest.find(is_punctuation).unwrap_or(rest.len()),
        };
        let (piece, after) = rest.split_at(length);
        let is_shown = is_punctuation(first) || SHOWN.contains(&piece) || MEMBERS.contains(&piece);
        masked.push_str(if is_shown { piece } else { MASK });
        rest = after;
    }
    masked
}

fn is_punctuation(c: char) -> bool {
    c.is_whitespace() || "{}[],=.".contains(c)
}

/// Returns the length of a quoted text; of an open one, it is the rest.
fn quoted(text: &str, quote: char) -> usize {
    match text[1..].find(quote) {
        Some(end) => end + 2,
        None => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;

    fn excerpt_of(text: &str, marked: &str, is_key: bool) -> String {
        let file = SourceFile {
            path: PathBuf::from("contexts.toml"),
            text: text.to_owned(),
        };
        let start = text.find(marked).unwrap();
        let position = FilePosition::of_bytes(text, start..start + marked.len());
        excerpt(&file, &position, is_key)
    }

    #[test]
    fn a_key_is_shown_and_its_value_is_not() {
        let text = "[a]\nurl = 'http://h'\ntokn = { env = \"TOKEN\" }\n";
        insta::assert_snapshot!(excerpt_of(text, "tokn", true), @r#"
          |
        3 | tokn = { env = … }
          | ^^^^
        "#);
    }

    #[test]
    fn a_value_is_masked_wherever_the_mistake_is() {
        for (text, marked) in [
            ("api_key = \"hunter2\"", "\"hunter2\""),
            ("api_key = hunter2", "hunter2"),
            ("api_key = \"hunter2", "\"hunter2"),
            ("hunter2", "hunter2"),
            ("a = 1 # hunter2", "1"),
            ("a = 'x' 'hunter2'", "'hunter2'"),
        ] {
            let shown = excerpt_of(text, marked, false);
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    proptest! {
        #[test]
        fn no_value_is_shown(
            key in "[a-z]{1,8}",
            value in "[A-Z0-9]{4,12}",
            quote in "[\"']?",
            at in 0usize..30,
            length in 0usize..9,
        ) {
            let text = format!("{key} = {quote}{value}{quote}");
            let start = at.min(text.len());
            let end = (start + length).min(text.len());
            let position = FilePosition::of_bytes(&text, start..end);
            let file = SourceFile { path: PathBuf::new(), text };
            let shown = excerpt(&file, &position, false);
            prop_assert!(!shown.contains(&value), "{}", shown);
        }
    }
}
