//! Texts of others, such as the claims of a token, made safe for a terminal: none may move the
//! cursor, begin a line, or reverse what follows.

use std::fmt::Write as _;

/// Returns a text in one line. Characters that cannot be seen are escaped as in Rust.
pub(crate) fn printable(text: &str) -> String {
    let mut printed = String::with_capacity(text.len());
    for c in text.chars() {
        if is_seen(c) {
            printed.push(c);
        } else {
            printed.extend(c.escape_debug());
        }
    }
    printed
}

/// Returns JSON in one line, without blanks between its tokens. Characters that cannot be seen are
/// escaped as JSON, so that the value stays the same.
pub(crate) fn compact_json(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    let mut in_string = false;
    let mut after_backslash = false;
    for c in json.chars() {
        if in_string || !c.is_ascii_whitespace() {
            push_json(&mut line, c);
        }
        if c == '"' && !after_backslash {
            in_string = !in_string;
        }
        after_backslash = c == '\\' && !after_backslash;
    }
    line
}

fn push_json(line: &mut String, c: char) {
    if is_seen(c) {
        line.push(c);
        return;
    }
    for unit in c.encode_utf16(&mut [0; 2]) {
        // A `String` takes everything.
        write!(line, "\\u{unit:04x}").ok();
    }
}

/// Returns whether a character is seen as itself.
fn is_seen(c: char) -> bool {
    matches!(c, '"' | '\'' | '\\') || c.escape_debug().count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_stays_and_the_rest_is_escaped() {
        let text = "it's \"größe\" \\ 漢\u{1f600}";
        assert_eq!(printable(text), text);
        let hidden = "\u{1b}[2J\r\n\t\0\u{7f}\u{9b}\u{200b}\u{2028}\u{202e}\u{feff}";
        let escaped = r"\u{1b}[2J\r\n\t\0\u{7f}\u{9b}\u{200b}\u{2028}\u{202e}\u{feff}";
        assert_eq!(printable(hidden), escaped);
    }

    #[track_caller]
    fn check(json: &str, expected: &str) {
        let compact = compact_json(json);
        assert_eq!(compact, expected);
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        let again: serde_json::Value = serde_json::from_str(&compact).unwrap();
        assert_eq!(again, value);
    }

    #[test]
    fn compact_json_is_the_same_value_in_one_line() {
        check(
            " {\n\"a b\" :\t[ 1.50 ,\r\n{ } ] } ",
            r#"{"a b":[1.50,{}]}"#,
        );
        check(r#"["\" , \\", " x "]"#, r#"["\" , \\"," x "]"#);
        check(r#"["\\" , "\n\u001b"]"#, r#"["\\","\n\u001b"]"#);
        check("[\"\u{9b}\u{e0041}\"]", r#"["\u009b\udb40\udc41"]"#);
    }
}
