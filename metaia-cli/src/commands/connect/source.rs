//! The sources of lines: a stream of bytes, or the line editor of a terminal.

use std::collections::VecDeque;
use std::io;

use tokio::io::{AsyncBufRead, Split};
use tokio::sync::mpsc::Receiver;

use super::command::payload_of_event;
use super::line_watcher::Typed;
use super::words::leading_json;

/// The longest line that a terminal without a line editor passes on: it drops what is typed or
/// pasted beyond it.
const LONGEST_OF_TERMINAL: usize = 4094;

/// The longest line that may be typed or pasted into the line editor.
const LONGEST_EDITED: usize = 1024 * 1024;

pub(super) enum Source<R> {
    Stream(Split<R>),
    Editor {
        typed: Receiver<Typed>,
        /// Lines that were pasted together.
        pasted: VecDeque<String>,
        /// True if the last line was there before it was asked for.
        was_waiting: bool,
    },
    Ended,
}

impl<R: AsyncBufRead + Unpin> Source<R> {
    pub(super) fn edited(typed: Receiver<Typed>) -> Self {
        Self::Editor {
            typed,
            pasted: VecDeque::new(),
            was_waiting: false,
        }
    }

    /// Returns true if the last line was there before it was asked for: it is one of a script, or
    /// was pasted or typed ahead.
    pub(super) fn was_waiting(&self) -> bool {
        match self {
            Self::Editor { was_waiting, .. } => *was_waiting,
            _ => true,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self, Self::Ended)
    }

    /// Returns the next line, or `None` at the end. Cancelling loses no line.
    pub(super) async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        match self {
            Self::Stream(lines) => lines.next_segment().await,
            Self::Editor {
                typed,
                pasted,
                was_waiting,
            } => {
                *was_waiting = !pasted.is_empty() || !typed.is_empty();
                if pasted.is_empty() {
                    let failed = || Err(io::Error::other("the line editor has ended"));
                    let Some(text) = typed.recv().await.unwrap_or_else(failed)? else {
                        return Ok(None);
                    };
                    pasted.extend(lines(&text).map(str::to_owned));
                }
                Ok(pasted.pop_front().map(String::into_bytes))
            }
            Self::Ended => Ok(None),
        }
    }

    /// Returns the length of the longest line that counts as whole, and the words before it in the
    /// reason for refusing a longer one.
    pub(super) fn longest_line(&self, is_terminal: bool) -> Option<(usize, &'static str)> {
        match self {
            Self::Editor { .. } => Some((LONGEST_EDITED, "at most")),
            _ if is_terminal => Some((LONGEST_OF_TERMINAL, "the terminal passes on at most")),
            _ => None,
        }
    }
}

/// Returns the lines of a text, at least one. A payload of JSON may span several.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = end_of_line(text);
        rest = text.get(end + 1..);
        Some(&text[..end])
    })
}

fn end_of_line(text: &str) -> usize {
    let next_end = |from: usize| text[from..].find('\n').map_or(text.len(), |at| from + at);
    let first = next_end(0);
    match payload_of_event(&text[..first]) {
        Some(payload) => next_end(end_of_json(text, payload).unwrap_or(first)),
        None => first,
    }
}

/// Returns the place behind the object or list that begins at a place.
fn end_of_json(text: &str, at: usize) -> Option<usize> {
    let json = text[at..].starts_with(['{', '[']).then_some(&text[at..])?;
    let (_, rest) = leading_json::<serde::de::IgnoredAny>(json)?;
    Some(text.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(lines(text).collect::<Vec<_>>(), expected, "{text:?}");
    }

    #[test]
    fn pasted_text_is_split_into_lines() {
        check("", &[""]);
        check("/join o1", &["/join o1"]);
        check("/join o1\n\n/drop\n", &["/join o1", "", "/drop", ""]);
        check("a\u{e9}\nb", &["a\u{e9}", "b"]);
    }

    #[test]
    fn json_may_span_pasted_lines() {
        let emit = "@customer:c1 /emit x {\n  \"a\": [\n 1]\n} # c";
        check(&format!("/drop\n{emit}\n/quit"), &["/drop", emit, "/quit"]);
        check("/emit x [1]\n[2]", &["/emit x [1]", "[2]"]);
        check(
            "/emit x {\"a\":\n/emit y {}",
            &["/emit x {\"a\":", "/emit y {}"],
        );
        check("/emit x\n{}", &["/emit x", "{}"]);
        check("/join {\n}", &["/join {", "}"]);
    }
}
