//! The width of texts on a terminal, and texts that are cut or wrapped to one.
//!
//! The texts contain no character that acts on a terminal, see [`crate::terminal`]. A terminal may
//! show several characters as one, for instance a family of emoji. They are counted as if each was
//! shown by itself, since another terminal does so: a line is never wider than it is counted.

use std::borrow::Cow;

use console::measure_text_width;

/// The mark of a text that was cut.
const ELLIPSIS: char = '…';

/// The most characters for each column. Most characters without a width belong to the one before
/// them, but a text may consist of them.
const CHARS_PER_COLUMN: usize = 4;

/// Makes the character before it an emoji, which has two columns.
const EMOJI_SELECTOR: char = '\u{fe0f}';

/// Returns the number of columns that the text has.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(c: char) -> usize {
    match c {
        c if c.is_ascii() => 1,
        EMOJI_SELECTOR => 1,
        c => measure_text_width(c.encode_utf8(&mut [0; 4])),
    }
}

/// Returns whether the text has at most this number of columns.
pub(super) fn fits(text: &str, limit: usize) -> bool {
    text.len() <= limit || prefix(text, limit).len() == text.len()
}

/// Returns the text, or its beginning and an ellipsis if it is wider than this.
pub(crate) fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    if fits(text, limit) {
        return Cow::Borrowed(text);
    }
    if limit == 0 {
        return Cow::Borrowed("");
    }
    let start = prefix(text, limit - 1).trim_end();
    Cow::Owned(format!("{start}{ELLIPSIS}"))
}

/// Returns the text, or an ellipsis and its end if it is wider than this.
pub(super) fn cut_start(text: &str, limit: usize) -> Cow<'_, str> {
    if fits(text, limit) {
        return Cow::Borrowed(text);
    }
    let Some(room) = limit.checked_sub(1) else {
        return Cow::Borrowed("");
    };
    let mut columns = 0;
    let ends = text.chars().rev().take(room * CHARS_PER_COLUMN);
    let taken = ends.take_while(|c| {
        columns += char_width(*c);
        columns <= room
    });
    let taken: usize = taken.map(char::len_utf8).sum();
    Cow::Owned(format!("{ELLIPSIS}{}", &text[text.len() - taken..]))
}

/// Returns the longest beginning that has at most this number of columns.
fn prefix(text: &str, limit: usize) -> &str {
    let mut columns = 0;
    let mut chars = 0;
    for (at, c) in text.char_indices() {
        columns += char_width(c);
        chars += 1;
        if columns > limit || chars > limit * CHARS_PER_COLUMN {
            return &text[..at];
        }
    }
    text
}

/// Divides the text into lines of at most this width, between words if possible.
pub(crate) fn wrap(text: &str, limit: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text.trim();
    while !fits(rest, limit) {
        let (line, after) = rest.split_at(line_end(rest, limit));
        lines.push(line.trim_end());
        rest = after.trim_start();
    }
    if !rest.is_empty() || lines.is_empty() {
        lines.push(rest);
    }
    lines
}

/// Returns the end of the first line of a text that has more than one.
fn line_end(text: &str, limit: usize) -> usize {
    // A line without a character would have no end.
    let first = text.chars().next().map_or(0, char::len_utf8);
    let end = prefix(text, limit).len().max(first);
    if text[end..].starts_with(' ') {
        return end;
    }
    text[..end].rfind(' ').unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(width("₹16,100.00 → ready"), 18);
        assert_eq!(width("日本語 🧵"), 9);
        assert_eq!(width("e\u{301}"), 1);
        assert_eq!(width("⚠\u{fe0f}"), 2);
    }

    #[test]
    fn a_text_that_fits_is_not_cut() {
        assert_eq!(cut("pending", 7), "pending");
        assert_eq!(cut("pending", 6), "pendi…");
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("two words", 5), "two…");
        assert_eq!(cut("x", 0), "");
    }

    #[test]
    fn the_end_of_a_name_tells_more_than_its_beginning() {
        assert_eq!(cut_start("655f3a7be4c7a4f5b2d1c908", 6), "…1c908");
        assert_eq!(cut_start("日本語", 4), "…語");
        assert_eq!(cut_start("short", 6), "short");
        assert_eq!(cut_start("short", 0), "");
    }

    #[test]
    fn characters_without_a_width_do_not_make_a_line_endless() {
        let marks = format!("e{}", "\u{301}".repeat(100_000));
        assert!(cut(&marks, 10).len() < 100);
    }

    #[test]
    fn lines_break_between_words() {
        let text = "gap (epoch_changed): events missed; reload by REST";
        assert_eq!(
            wrap(text, 30),
            ["gap (epoch_changed): events", "missed; reload by REST"]
        );
        assert_eq!(wrap("abcdef", 4), ["abcd", "ef"]);
        assert_eq!(wrap("日本語", 1), ["日", "本", "語"]);
        assert_eq!(wrap("", 4), [""]);
    }

    proptest! {
        #[test]
        fn a_cut_text_has_the_width(text in "\\PC{0,40}", limit in 0_usize..30) {
            prop_assert!(width(&cut(&text, limit)) <= limit);
            prop_assert!(measure_text_width(&cut(&text, limit)) <= limit);
            prop_assert!(width(&cut_start(&text, limit)) <= limit);
        }

        #[test]
        fn lines_have_the_width_and_lose_no_word(text in "\\PC{0,40}", limit in 2_usize..30) {
            let lines = wrap(&text, limit);
            prop_assert!(lines.iter().all(|line| width(line) <= limit), "{lines:?}");
            let joined = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(joined(&lines.join(" ")), joined(&text));
        }
    }
}
