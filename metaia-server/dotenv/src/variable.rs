//! The variables of a text.

use std::fmt;

use crate::scanner::{Scanner, is_blank, is_line_end, is_quote};

/// A variable, and where it is. `Debug` does not show the value, which may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    /// The name: one or more of `A-Za-z0-9_.-`.
    pub name: String,
    /// The value.
    pub value: String,
    /// The number of the line that the name is in. The first line has the number 1.
    pub line: usize,
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variable")
            .field("name", &self.name)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// Returns the variables of a text in their order. If a name is there several times, the last one
/// counts.
#[must_use]
pub fn parse(text: &str) -> Vec<Variable> {
    let scanner = Scanner::new(text);
    let mut variables = Vec::new();
    let mut next = Some(0);
    while let Some(start) = next {
        next = match scanner.assignment(start) {
            Some(found) => {
                variables.push(Variable {
                    name: found.name,
                    value: value(&found.written),
                    line: found.line,
                });
                scanner.line_start(found.end)
            }
            None => scanner.line_start(start + 1),
        };
    }
    variables
}

/// Returns the value of what is written behind the name.
fn value(written: &str) -> String {
    let trimmed = written.trim_matches(is_blank);
    let unquoted = unquote(trimmed);
    if trimmed.starts_with('"') {
        unquoted.replace("\\n", "\n").replace("\\r", "\r")
    } else {
        unquoted
    }
}

/// Removes a pair of quotes, as `/^(['"`])([\s\S]*)\1$/mg` finds them: from a quote that begins a
/// line to the last one of its kind that ends a line. A value has several lines if it was quoted as
/// a whole, or if it has a line separator of Unicode.
fn unquote(text: &str) -> String {
    let text: Vec<char> = text.chars().collect();
    let mut unquoted = String::new();
    let mut at = 0;
    while at < text.len() {
        match closing_quote(&text, at) {
            Some(end) => {
                unquoted.extend(&text[at + 1..end]);
                at = end + 1;
            }
            None => {
                unquoted.push(text[at]);
                at += 1;
            }
        }
    }
    unquoted
}

/// Returns the place of the quote that closes the one at `start`, if that is an opening one.
fn closing_quote(text: &[char], start: usize) -> Option<usize> {
    let begins_line = start == 0 || is_line_end(text[start - 1]);
    if !begins_line || !is_quote(text[start]) {
        return None;
    }
    let ends_line = |at: usize| text.get(at + 1).is_none_or(|next| is_line_end(*next));
    (start + 1..text.len())
        .rev()
        .find(|at| text[*at] == text[start] && ends_line(*at))
}
