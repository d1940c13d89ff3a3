//! Rust source as tokens: the rules look at code, so that a name in a comment or in a text is not
//! mistaken for one.
//!
//! This is far less than the compiler's lexer. It knows what hides code (comments, strings, raw
//! strings, characters) and leaves the rest as words and marks.

mod measure;
mod token;

use measure::measure;

pub(super) use token::{Kind, Token};

/// Returns the tokens of a file. Comments are left out, except `///`.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while !rest.is_empty() {
        let (kind, length) = measure(rest);
        let (token, after) = rest.split_at(length);
        found.extend(kind.map(|kind| Token {
            kind,
            text: token,
            line,
        }));
        line += token.matches('\n').count();
        rest = after;
    }
    found
}

/// Returns the index just behind the group that begins with the bracket at `open`.
pub(super) fn group_end(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        if token.is_one_of(&["(", "[", "{"]) {
            depth += 1;
        }
        if token.is_one_of(&[")", "]", "}"]) {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            return index + 1;
        }
    }
    tokens.len()
}

/// Returns true if the tokens at `at` are these keywords and marks.
pub(super) fn begins(tokens: &[Token], at: usize, expected: &[&str]) -> bool {
    let found = tokens.iter().skip(at);
    let same = found
        .zip(expected)
        .take_while(|(token, text)| token.is(text));
    same.count() == expected.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&str> = tokens(text).iter().map(|token| token.text).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn comments_hide_code() {
        check("a // b\nc /* d /* e */ f */ g", &["a", "c", "g"]);
        check("//! a\n/// b\n//// c\nd", &["/// b", "d"]);
    }

    #[test]
    fn texts_are_one_token() {
        check(
            r#"a("b \" // c") d"#,
            &["a", "(", r#""b \" // c""#, ")", "d"],
        );
        check(
            "r#\"a \" b\"# c br\"d\\\" e",
            &["r#\"a \" b\"#", "c", "br\"d\\\"", "e"],
        );
        check("b\"x\" c\"y\" r#type", &["b\"x\"", "c\"y\"", "r#type"]);
    }

    #[test]
    fn characters_are_not_lifetimes() {
        check(
            r"'a' '\'' b'{' &'a str '\u{1F600}'",
            &["'a'", r"'\''", "b'{'", "&", "'a", "str", r"'\u{1F600}'"],
        );
        check("'{' '\"' \"", &["'{'", "'\"'", "\""]);
    }

    #[test]
    fn marks_and_numbers() {
        check(
            "a::b => 1.5..=2",
            &["a", "::", "b", "=>", "1.5", "..=", "2"],
        );
        check("x.0.1 == 0x_ff", &["x", ".", "0.1", "==", "0x_ff"]);
    }

    #[test]
    fn lines_are_counted_through_texts() {
        let text = "a\n\"b\nc\"\nd";
        let lines: Vec<usize> = tokens(text).iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 2, 4]);
        assert_eq!(tokens(text)[1].last_line(), 3);
    }

    #[test]
    fn a_group_ends_behind_its_bracket() {
        let tokens = tokens("a ( b [ c ] ) d");
        assert_eq!(group_end(&tokens, 1), 7);
        assert_eq!(group_end(&tokens, 3), 6);
        assert!(begins(&tokens, 1, &["(", "b"]));
        assert!(!begins(&tokens, 7, &["d", "e"]));
    }
}
