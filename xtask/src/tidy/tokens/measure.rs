//! The next token's kind and length, from the text's beginning.

use super::token::Kind;

/// Marks of more than one character, the longer ones first.
const LONG_MARKS: [&str; 16] = [
    "..=", "...", "::", "->", "=>", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "|=", "&=",
    "..",
];

/// Returns the kind of the next token, `None` for space and comments, and its length in bytes.
pub(super) fn measure(text: &str) -> (Option<Kind>, usize) {
    let first = text.chars().next().unwrap_or(' ');
    if first.is_whitespace() {
        return (None, length_while(text, char::is_whitespace));
    }
    comment(text)
        .or_else(|| quoted(text).map(|length| (Some(Kind::Literal), length)))
        .or_else(|| apostrophe(text))
        .or_else(|| word(text, first))
        .unwrap_or_else(|| mark(text, first))
}

fn length_while(text: &str, holds: impl Fn(char) -> bool) -> usize {
    text.find(|c: char| !holds(c)).unwrap_or(text.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn comment(text: &str) -> Option<(Option<Kind>, usize)> {
    if text.starts_with("/*") {
        return Some((None, block_comment(text)));
    }
    if !text.starts_with("//") {
        return None;
    }
    let is_doc = text.starts_with("///") && !text.starts_with("////");
    Some((
        is_doc.then_some(Kind::Doc),
        length_while(text, |c| c != '\n'),
    ))
}

/// Returns the length of a block comment, which may have others in it.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let step = match text.get(at..at + 2) {
            Some("/*") => 1,
            Some("*/") => -1,
            _ => 0,
        };
        depth += step;
        at += if step == 0 { 1 } else { 2 };
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Returns the length of a text with its prefix: `"a"`, `b"a"`, `r#"a"#`.
fn quoted(text: &str) -> Option<usize> {
    let prefix = length_while(text, |c| "bcr".contains(c));
    let after = &text[prefix..];
    let hashes = length_while(after, |c| c == '#');
    let inside = after[hashes..].strip_prefix('"')?;
    let begin = text.len() - inside.len();
    if text[..prefix].ends_with('r') {
        let end = format!("\"{}", "#".repeat(hashes));
        let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
        return Some(begin + length);
    }
    let plain = hashes == 0 && prefix <= 1;
    plain.then(|| begin + until_quote(inside, '"'))
}

/// Returns the length up to the closing quote, which is the first without a backslash before it.
fn until_quote(inside: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        if c == quote && !escaped {
            return at + c.len_utf8();
        }
        escaped = c == '\\' && !escaped;
    }
    inside.len()
}

/// Measures a character (`'a'`, `b'a'`, `'\n'`) or a lifetime (`'a`).
fn apostrophe(text: &str) -> Option<(Option<Kind>, usize)> {
    let inside = text
        .strip_prefix("b'")
        .or_else(|| text.strip_prefix('\''))?;
    let begin = text.len() - inside.len();
    let mut two = inside.chars();
    let first = two.next();
    // A lifetime has no second apostrophe: `'a'` is a character, `'a,` is not.
    if first == Some('\\') || two.next() == Some('\'') {
        return Some((Some(Kind::Literal), begin + until_quote(inside, '\'')));
    }
    Some((Some(Kind::Lifetime), begin + length_while(inside, is_word)))
}

fn word(text: &str, first: char) -> Option<(Option<Kind>, usize)> {
    if first.is_ascii_digit() {
        return Some((Some(Kind::Literal), number(text)));
    }
    let raw = if text.starts_with("r#") { 2 } else { 0 };
    let length = length_while(&text[raw..], is_word);
    (length > 0).then_some((Some(Kind::Word), raw + length))
}

/// Returns the length of a number. The dot of `1.5` belongs to it, the dots of `1..5` do not.
fn number(text: &str) -> usize {
    let whole = length_while(text, is_word);
    let fraction = text[whole..].strip_prefix('.').unwrap_or_default();
    if fraction.starts_with(|c: char| c.is_ascii_digit()) {
        return whole + 1 + length_while(fraction, is_word);
    }
    whole
}

fn mark(text: &str, first: char) -> (Option<Kind>, usize) {
    let long = LONG_MARKS.iter().find(|mark| text.starts_with(**mark));
    let length = long.map_or(first.len_utf8(), |mark| mark.len());
    (Some(Kind::Mark), length)
}
