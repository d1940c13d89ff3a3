//! The words of a line, quoted as in a shell: `'…'` is literal, `"…"` knows `\"` and `\\`, and a
//! backslash makes the next character literal. A word that begins with an unquoted `#` begins a
//! comment, which ends the line.

/// Returns the first word of a text without its quotes, and the text after it. The text must not
/// begin with white space.
pub(super) fn first_word(text: &str) -> Result<(String, &str), String> {
    let mut word = String::new();
    let mut quote = None;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (None, space) if space.is_whitespace() => return Ok((word, &text[at..])),
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (None | Some('"'), '\\') => match characters.next() {
                Some((_, escaped)) => push_escaped(&mut word, escaped, quote),
                None => return Err("a backslash at the end escapes nothing".to_owned()),
            },
            (_, other) => word.push(other),
        }
    }
    match quote {
        None => Ok((word, "")),
        Some(open) => Err(format!("a quote {open} is not closed")),
    }
}

/// Returns the text behind a word: without the white space before the next word, and empty if a
/// comment follows.
pub(super) fn rest_of_line(text: &str) -> &str {
    let text = text.trim_start();
    if text.starts_with('#') { "" } else { text }
}

/// Returns all words of a text.
pub(super) fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = rest_of_line(text);
    while !rest.is_empty() {
        let (word, after) = first_word(rest)?;
        words.push(word);
        rest = rest_of_line(after);
    }
    Ok(words)
}

/// Within double quotes a backslash stays, unless it stands before one of these, as in a shell.
fn push_escaped(word: &mut String, escaped: char, quote: Option<char>) {
    let is_special = matches!(escaped, '"' | '\\' | '$' | '`');
    if quote.is_some() && !is_special {
        word.push('\\');
    }
    word.push(escaped);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let expected: Vec<String> = expected.iter().map(|&word| word.to_owned()).collect();
        assert_eq!(words(text), Ok(expected), "{text:?}");
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
    }

    #[test]
    fn an_open_quote_is_refused() {
        for text in ["'", "a \"b", r"a\", r#""\""#, "it's"] {
            assert!(words(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), quoted in r#"['"\\ a]{0,12}"#) {
            let _ = words(&text);
            let _ = words(&quoted);
        }

        #[test]
        fn a_quoted_text_is_one_word(text in "[^']{0,12}") {
            prop_assert_eq!(words(&format!("'{text}'")), Ok(vec![text]));
        }
    }
}
