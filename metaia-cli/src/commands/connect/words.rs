//! The words of a line, quoted as in a shell by the crate `shell-words`, and JSON between them,
//! which keeps its own quotes. This file finds the places at which a word, and so JSON, may begin;
//! `serde_json` finds the place at which JSON ends.

use std::ops::Range;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Deserializer;

/// The most beginnings of words that are tried in the search for one of the first three. If more of
/// them are within quotes, a quote is open.
const MOST_BEGINNINGS: usize = 100;

/// Returns all words of a text without JSON.
pub(super) fn split(text: &str) -> Result<Vec<String>, String> {
    shell_words::split(text).map_err(|_| "a quote is not closed".to_owned())
}

/// Returns the items of a payload: words, and `NAME:=JSON`, in which JSON needs no quotes and may
/// contain spaces.
pub(super) fn items(text: &str) -> Result<Vec<String>, String> {
    let mut items = Vec::new();
    let mut rest = text;
    while let Some(member) = json_member(rest) {
        items.extend(split(&rest[..member.start])?);
        items.push(rest[member.clone()].to_owned());
        rest = &rest[member.end..];
    }
    items.extend(split(rest)?);
    Ok(items)
}

/// Returns the place at which a word begins that has this many words before it.
pub(super) fn beginning_of_word(text: &str, words_before: usize) -> Option<usize> {
    let mut beginnings = beginnings(text).take(MOST_BEGINNINGS);
    beginnings.find(|&at| count_before(text, at) == Some(words_before))
}

/// Returns the place at which the last word of a text begins: its end, if it ends with white space
/// between words. Within quotes, that is the beginning of the word with the quote. In a comment, it
/// is the beginning of the comment.
pub(super) fn beginning_of_last_word(text: &str) -> Option<usize> {
    let places: Vec<usize> = beginnings(text).chain([text.len()]).collect();
    let is_behind_space = |at: usize| at == 0 || text[..at].ends_with(is_space);
    let mut last_first = places.into_iter().rev().filter(|&at| is_behind_space(at));
    last_first.find(|&at| count_before(text, at).is_some())
}

/// Returns the JSON with which the text begins, and the text after it.
pub(super) fn leading_json<T: DeserializeOwned>(text: &str) -> Option<(T, &str)> {
    let mut values = Deserializer::from_str(text).into_iter::<T>();
    let value = values.next()?.ok()?;
    Some((value, &text[values.byte_offset()..]))
}

/// Returns true if no word follows in a text behind a word or JSON: only white space, or a comment.
pub(super) fn is_end(text: &str) -> bool {
    let rest = text.trim_start();
    rest.is_empty() || (rest.len() < text.len() && rest.starts_with('#'))
}

/// Returns the place of the first `NAME:=JSON`.
fn json_member(text: &str) -> Option<Range<usize>> {
    let mut places = text.match_indices(":=");
    places.find_map(|(at, _)| {
        let start = text[..at].rfind(is_space).map_or(0, |space| space + 1);
        let name = &text[start..at];
        if name.is_empty() || name.starts_with('#') || name.contains(['\'', '"', '\\', '=']) {
            return None;
        }
        let end = at + 2 + json_word_length(&text[at + 2..])?;
        count_before(text, start)?;
        Some(start..end)
    })
}

/// Returns the length of the JSON with which a text begins, if white space or nothing follows it.
fn json_word_length(text: &str) -> Option<usize> {
    let (_, rest) = leading_json::<IgnoredAny>(text)?;
    let is_word =
        !text.starts_with(char::is_whitespace) && (rest.is_empty() || rest.starts_with(is_space));
    is_word.then_some(text.len() - rest.len())
}

/// Returns the places behind white space, and the beginning of the text.
fn beginnings(text: &str) -> impl Iterator<Item = usize> {
    let mut is_behind_space = true;
    text.char_indices().filter_map(move |(at, character)| {
        let begins = is_behind_space && !is_space(character);
        is_behind_space = is_space(character);
        begins.then_some(at)
    })
}

/// Returns the number of words before a place behind white space, if a word may begin there.
/// Returns `None` within quotes, behind a backslash, and in a comment.
fn count_before(text: &str, at: usize) -> Option<usize> {
    // If a word may begin there, then this one is a word of its own.
    let mut words = shell_words::split(&format!("{}x", &text[..at])).ok()?;
    (words.pop()? == "x").then_some(words.len())
}

/// Returns true for the white space between words in a shell.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n')
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let expected: Vec<String> = expected.iter().map(|&word| word.to_owned()).collect();
        assert_eq!(items(text), Ok(expected), "{text:?}");
    }

    #[test]
    fn quotes_hold_a_word_together() {
        check("", &[]);
        check(" a  b\t", &["a", "b"]);
        check(r#"a="b c" d"#, &["a=b c", "d"]);
        check(r"'a b'c\ d", &["a bc d"]);
        check(r#""""#, &[""]);
        check(r#""say \"hi\" \\ \n""#, &[r#"say "hi" \ \n"#]);
        check(r"'it'\''s'", &["it's"]);
        check("日本 '語 🧵'", &["日本", "語 🧵"]);
    }

    #[test]
    fn an_unquoted_word_that_begins_with_a_hash_ends_the_line() {
        check("a # b 'c", &["a"]);
        check("a\t#b", &["a"]);
        check("#", &[]);
        check("a#b c#", &["a#b", "c#"]);
        check(r##"'#a' "#b" \#c"##, &["#a", "#b", "#c"]);
        check("a # n:={}", &["a"]);
        check("a #n:={}", &["a"]);
    }

    #[test]
    fn json_behind_a_name_keeps_its_quotes() {
        check(
            r#"n:={"a": "b c"} s:="it's" x"#,
            &[r#"n:={"a": "b c"}"#, r#"s:="it's""#, "x"],
        );
        check(r#"n:=[1, 2] # n:=[3, 4]"#, &["n:=[1, 2]"]);
        check(r#"'a n:=[1, 2] b'"#, &["a n:=[1, 2] b"]);
        check(r#"a\ n:=[1, 2]"#, &["a n:=[1,", "2]"]);
        check(
            r#"n:='{"a": "b c"}' s:=\"x\""#,
            &[r#"n:={"a": "b c"}"#, r#"s:="x""#],
        );
        check("n:= 1 n:={", &["n:=", "1", "n:={"]);
    }

    #[test]
    fn an_open_quote_is_refused() {
        for text in ["'", "a \"b", r#""\""#, "it's", r#"n:={"a": "it's"} it's"#] {
            assert!(items(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_beginning_of_a_word_is_found_by_the_words_before_it() {
        assert_eq!(beginning_of_word("a 'b c' d", 0), Some(0));
        assert_eq!(beginning_of_word("a 'b c' d", 1), Some(2));
        assert_eq!(beginning_of_word("a 'b c' d", 2), Some(8));
        assert_eq!(beginning_of_word("a 'b c' d", 3), None);
        assert_eq!(beginning_of_word(r#"a b {"it's": 1}"#, 2), Some(4));
        assert_eq!(beginning_of_word("a # b", 2), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), quoted in r#"['"\\ a:=\[{#é]{0,12}"#) {
            let _ = items(&text);
            let _ = items(&quoted);
            let _ = beginning_of_word(&quoted, 1);
        }

        #[test]
        fn quoted_words_come_back(words in vec("[a-c'\"\\\\ :=#\\[1é\n]{0,8}", 0..5)) {
            prop_assert_eq!(items(&shell_words::join(&words)), Ok(words));
        }

        #[test]
        fn words_without_json_are_those_of_a_shell(text in "[a'\"\\\\ =#\n]{0,12}") {
            prop_assert_eq!(items(&text).ok(), shell_words::split(&text).ok());
        }
    }
}
