//! The lines that are kept, and their form in a file: one in each line of the file.

use crate::terminal::acts;

/// The most lines that are kept.
pub(in crate::commands::connect) const MOST_LINES: usize = 1_000;

/// The longest line that is kept, in bytes. A longer one is a pasted payload.
const LONGEST: usize = 4 * 1024;

/// The shortest text that is taken for a token if it begins as one.
const SHORTEST_TOKEN: usize = 16;

/// The beginning of each JWT: `{"` in base64.
const BEGINNING_OF_TOKENS: &str = "eyJ";

/// Parts of the names of secrets, in small letters and without `_` and `-`.
const NAMES_OF_SECRETS: [&str; 6] = [
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "authorization",
];

/// Stands before a token in the header of a request.
const BEARER: &str = "bearer ";

/// Returns true for a line that may be written to a file: the person has not hidden it by a leading
/// space, and there is no secret in it. A line with characters that act on a terminal is not
/// written either, since the file may be shown on one.
pub(super) fn is_kept(line: &str) -> bool {
    let acts = |c: char| acts(c) && c != '\n' && c != '\t';
    !line.trim().is_empty()
        && !line.starts_with([' ', '\t'])
        && line.len() <= LONGEST
        && !line.contains(acts)
        && !has_token(line)
        && !has_named_secret(line)
}

/// Returns true if a part of the line says by its name that it is a secret.
fn has_named_secret(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    let mut rest = line.as_str();
    while let Some(start) = rest.find(is_of_name) {
        let text = &rest[start..];
        let end = text.find(|c| !is_of_name(c)).unwrap_or(text.len());
        let (name, after) = text.split_at(end);
        if is_name_of_secret(name) && has_value(after) {
            return true;
        }
        rest = after;
    }
    line.contains(BEARER)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

fn is_name_of_secret(name: &str) -> bool {
    let name = name.replace(['-', '_'], "");
    NAMES_OF_SECRETS.iter().any(|secret| name.contains(secret))
}

/// Returns true if a value follows a name, as in `name=value` and `"name": "value"`.
fn has_value(after: &str) -> bool {
    let after = after.trim_start_matches(|c: char| c.is_whitespace() || "\"'\\".contains(c));
    let value = after.strip_prefix([':', '=']);
    value.is_some_and(|value| !value.trim().is_empty())
}

fn has_token(line: &str) -> bool {
    line.contains("--token") || line.split(|c| !is_of_token(c)).any(is_token)
}

fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn is_token(word: &str) -> bool {
    let token = word.find(BEGINNING_OF_TOKENS).map(|at| &word[at..]);
    token.is_some_and(|token| token.len() >= SHORTEST_TOKEN)
}

/// Returns a text as it is written to the file.
pub(super) fn written(line: &str) -> String {
    line.replace('\\', r"\\").replace('\n', r"\n")
}

/// Returns the text that a line of the file stands for.
pub(super) fn read_line(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(match chars.next() {
                Some('n') => '\n',
                Some(other) => other,
                None => '\\',
            }),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_kept_unless_it_is_hidden_or_has_a_secret() {
        for line in [
            "/join o1",
            "/emit x {\"a\": 1}",
            "/emit x {\n\"a\":\n1}",
            "# eyJ",
            "a.b.c",
            "/await token_changed",
            "/emit x {\"reason\": \"no password\"}",
        ] {
            assert!(is_kept(line), "{line:?}");
        }
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2ln";
        for line in [
            "".to_owned(),
            "  ".to_owned(),
            " /join o1".to_owned(),
            "\t/join o1".to_owned(),
            format!("/emit login {token}"),
            format!("/emit login {{\"token\":\"{token}\"}}"),
            format!("/emit login token=Bearer{token}"),
            "/emit x {\"header\": \"Bearer abc\"}".to_owned(),
            "/emit login {\"password\": \"hunter2\"}".to_owned(),
            "/emit login {\"a\": {'newPassword':'hunter2'}}".to_owned(),
            "/emit login {\"api_key\":\"k\"}".to_owned(),
            "/await login apiKey=k".to_owned(),
            "/await login client_secret=k".to_owned(),
            "/emit x {\"Authorization\": \"Basic x\"}".to_owned(),
            "/emit x \"{\\\"token\\\": \\\"abc\\\"}\"".to_owned(),
            "/emit login eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSJ9.".to_owned(),
            "metaia connect --token abc".to_owned(),
            "/emit x a\u{1b}[2Jb".to_owned(),
            "/emit x a\0b".to_owned(),
            "/emit x a\u{202e}b".to_owned(),
            "/emit x a\u{2028}b".to_owned(),
            format!("/emit x {}", "y".repeat(LONGEST)),
        ] {
            assert!(!is_kept(&line), "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn a_written_line_comes_back(line in any::<String>()) {
            let written = written(&line);
            prop_assert!(!written.contains('\n'));
            prop_assert_eq!(read_line(&written), line);
        }

        #[test]
        fn no_token_is_kept(before in "[ -~]{0,8}", token in "eyJ[A-Za-z0-9_-]{13,40}") {
            let line = format!("{before}{token}");
            prop_assert!(!is_kept(&line));
        }

        #[test]
        fn no_line_of_a_file_panics(line in any::<String>()) {
            let _ = read_line(&line);
        }
    }
}
