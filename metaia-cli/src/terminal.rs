//! Keeps texts of others from acting on the terminal: no character of an event, an answer or a
//! token may move the cursor, set the title, begin a line, or reverse what follows.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The choice of styles of our own in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Styles {
    Allowed,
    None,
}

/// Returns the text with the characters that act on a terminal escaped as in JSON, so that JSON
/// keeps its value. Line ends stay. Styles stay if they are allowed.
pub(crate) fn safe(text: &str, styles: Styles) -> Cow<'_, str> {
    escaped(text, styles, |c| c != '\n' && acts(c))
}

/// Returns the text of others in one line.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, Styles::None, acts)
}

/// Returns the text without the characters that act on a terminal, except for tabs and line ends.
/// Of use if the width of the text is known, since these characters have none.
pub(crate) fn without_acting(text: &str) -> Cow<'_, str> {
    let is_left_out = |c| acts(c) && c != '\n' && c != '\t';
    if text.contains(is_left_out) {
        Cow::Owned(text.replace(is_left_out, ""))
    } else {
        Cow::Borrowed(text)
    }
}

fn escaped(text: &str, styles: Styles, acts: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&acts) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match style_length(rest) {
            Some(length) if styles == Styles::Allowed => length,
            _ => c.len_utf8(),
        };
        let (piece, after) = rest.split_at(length);
        if length == c.len_utf8() && acts(c) {
            push_escaped(&mut safe, c);
        } else {
            safe.push_str(piece);
        }
        rest = after;
    }
    Cow::Owned(safe)
}

/// Returns the length of the style that the text begins with: `ESC [`, one or two digits, `m`.
fn style_length(text: &str) -> Option<usize> {
    let code = text.strip_prefix("\u{1b}[")?;
    let digits = code.bytes().take_while(u8::is_ascii_digit).count();
    let is_style = (1..=2).contains(&digits) && code[digits..].starts_with('m');
    is_style.then_some(2 + digits + 1)
}

fn push_escaped(text: &mut String, c: char) {
    match c {
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        // All of them are in the first plane. A `String` takes everything.
        c => {
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        }
    }
}

/// Returns whether a character acts on a terminal instead of being shown: control characters of
/// both sets, separators of lines and paragraphs, and what sets the direction of a text.
pub(crate) fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{61c}')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_is_shown_stays() {
        let text = "größe 漢 🧵 👨\u{200d}👩 बेंगलुरु\nsecond line";
        assert_eq!(safe(text, Styles::None), text);
    }

    #[test]
    fn what_acts_is_escaped() {
        let text = "\u{1b}]0;title\u{7}\u{1b}[31m\r\t\0\u{7f}\u{9b}2J\u{2028}\u{202e}\u{2066}";
        let escaped = concat!(
            r"\u001b]0;title\u0007\u001b[31m\r\t\u0000\u007f\u009b2J",
            r"\u2028\u202e\u2066"
        );
        assert_eq!(safe(text, Styles::None), escaped);
        assert_eq!(one_line("a\nb"), r"a\nb");
    }

    #[test]
    fn our_styles_stay_and_nothing_else() {
        let styled = "\u{1b}[36m\u{1b}[1mname\u{1b}[0m";
        assert_eq!(safe(styled, Styles::Allowed), styled);
        for other in [
            "\u{1b}[2J",
            "\u{1b}[m",
            "\u{1b}[123m",
            "\u{1b}[1;31m",
            "\u{1b}",
        ] {
            assert!(
                !safe(other, Styles::Allowed).contains('\u{1b}'),
                "{other:?}"
            );
        }
    }

    /// Texts in which characters that act are frequent.
    fn text() -> impl Strategy<Value = String> {
        let acting = "[\u{0}-\u{1f}\u{7f}-\u{9f}\u{61c}\u{200e}\u{202a}-\u{202e}\u{2066}-\u{2069}]";
        let piece = prop_oneof![acting, "\u{1b}\\[[0-9]{1,2}m", any::<String>()];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn nothing_that_acts_is_left(text in text()) {
            prop_assert!(!safe(&text, Styles::None).contains(|c| c != '\n' && acts(c)));
            prop_assert!(!one_line(&text).contains(acts));
        }

        #[test]
        fn only_styles_are_left(text in text()) {
            let safe = safe(&text, Styles::Allowed);
            for (at, _) in safe.match_indices(|c| c != '\n' && acts(c)) {
                prop_assert!(style_length(&safe[at..]).is_some(), "{safe:?}");
            }
        }

        #[test]
        fn a_safe_text_stays(text in text()) {
            let once = one_line(&text).into_owned();
            prop_assert_eq!(safe(&once, Styles::None), once.as_str());
        }

        #[test]
        fn json_keeps_its_value(text in text()) {
            let value = Value::from(text);
            let json = safe(&value.to_string(), Styles::None).into_owned();
            prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
        }
    }
}
