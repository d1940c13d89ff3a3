//! The word that is being typed: where it begins, and how it is quoted.

use crate::commands::connect::words::{beginning_of_last_word, split};

/// The longest beginning of a line whose last word is completed. A longer one was pasted.
const LONGEST: usize = 4096;

/// The word that ends at the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TypedWord<'a> {
    /// The words before it.
    pub(super) before: Vec<String>,
    /// The place at which it begins.
    pub(super) start: usize,
    /// Its text without quotes.
    pub(super) said: String,
    /// The text as it was typed.
    raw: &'a str,
    /// The quote that it begins with.
    quote: Option<char>,
}

impl<'a> TypedWord<'a> {
    /// Returns the word that ends at this place. Returns `None` within a comment, and for a word
    /// whose quotes are not a single one at its beginning.
    pub(super) fn at(line: &'a str, at: usize) -> Option<Self> {
        let typed = line.get(..at).filter(|typed| typed.len() <= LONGEST)?;
        let start = beginning_of_last_word(typed)?;
        let raw = &typed[start..];
        let quote = raw.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let said = match quote {
            Some(quote) => quoted(&raw[1..], quote)?,
            None => unquoted(raw)?,
        };
        Some(Self {
            before: split(&typed[..start]).ok()?,
            start,
            said,
            raw,
            quote,
        })
    }

    /// Returns the beginning of a name as it is typed within the same quote, without the closing
    /// one. Returns `None` if the name cannot be typed so, or if it would replace what was typed.
    pub(super) fn written(&self, name: &str) -> Option<String> {
        let text = match self.quote {
            Some('\'') if name.contains('\'') => return None,
            Some('\'') => format!("'{name}"),
            Some(quote) => format!("{quote}{}", escaped(name, &['"', '\\'])),
            None => escaped(name, &[' ', '\t', '\n', '\'', '"', '\\']),
        };
        text.starts_with(self.raw).then_some(text)
    }

    /// Returns a name as it is typed when it is whole, with the closing quote and the white space
    /// behind it. A folder is not whole.
    pub(super) fn whole(&self, name: &str, behind: &str) -> Option<String> {
        let mut text = self.written(name)?;
        if name.ends_with('/') {
            return Some(text);
        }
        text.extend(self.quote);
        if !behind.starts_with(' ') {
            text.push(' ');
        }
        Some(text)
    }
}

fn quoted(text: &str, quote: char) -> Option<String> {
    let is_plain = !text.contains([quote, '\\']);
    is_plain.then(|| text.to_owned())
}

fn unquoted(text: &str) -> Option<String> {
    let mut said = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '#' if said.is_empty() => return None,
            '\'' | '"' => return None,
            '\\' => said.push(chars.next()?),
            c => said.push(c),
        }
    }
    Some(said)
}

fn escaped(name: &str, special: &[char]) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        if special.contains(&c) {
            text.push('\\');
        }
        text.push(c);
    }
    text
}
