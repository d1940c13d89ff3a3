//! A token as people paste it: with `Bearer`, a header's name or quotes around it.

/// Words that may stand before a token and are no part of it.
const PREFIXES: [(&str, &str); 2] = [("authorization:", "Authorization:"), ("bearer", "Bearer")];

/// A token, and the words that were left out before it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PastedToken<'a> {
    pub(crate) token: &'a str,
    pub(crate) left_out: Vec<&'static str>,
}

impl<'a> PastedToken<'a> {
    pub(crate) fn read(text: &'a str) -> Self {
        let mut left_out = Vec::new();
        let mut token = bare(text);
        while let Some((word, rest)) = strip_prefix(token) {
            left_out.push(word);
            token = bare(rest);
        }
        Self { token, left_out }
    }
}

/// Returns a text without the blanks and the quotes around it.
fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`'))
}

fn strip_prefix(text: &str) -> Option<(&'static str, &str)> {
    PREFIXES.iter().find_map(|(prefix, word)| {
        let (start, rest) = text.split_at_checked(prefix.len())?;
        // `Bearer` is a word of its own; a name of a header ends with its colon.
        let ends = prefix.ends_with(':') || rest.is_empty() || rest.starts_with([' ', '\t']);
        (start.eq_ignore_ascii_case(prefix) && ends).then_some((*word, rest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, token: &str, left_out: &[&'static str]) {
        let left_out = left_out.to_vec();
        assert_eq!(PastedToken::read(text), PastedToken { token, left_out });
    }

    #[test]
    fn what_is_around_a_token_is_left_out() {
        check("eyJ.a.b", "eyJ.a.b", &[]);
        check(" eyJ.a.b\n", "eyJ.a.b", &[]);
        check("\"eyJ.a.b\"", "eyJ.a.b", &[]);
        check("Bearer eyJ.a.b", "eyJ.a.b", &["Bearer"]);
        check("bearer\teyJ.a.b", "eyJ.a.b", &["Bearer"]);
        check("'BEARER  eyJ.a.b'", "eyJ.a.b", &["Bearer"]);
        check("Bearer 'eyJ.a.b'", "eyJ.a.b", &["Bearer"]);
        check("Bearer Bearer eyJ.a.b", "eyJ.a.b", &["Bearer", "Bearer"]);
        let header = ["Authorization:", "Bearer"];
        check("Authorization: Bearer eyJ.a.b", "eyJ.a.b", &header);
        check("\"authorization:Bearer eyJ.a.b\"", "eyJ.a.b", &header);
    }

    #[test]
    fn other_texts_stay() {
        check("Bearer", "", &["Bearer"]);
        check("BearereyJ.a.b", "BearereyJ.a.b", &[]);
        check("größe", "größe", &[]);
        check("", "", &[]);
        check("a b", "a b", &[]);
    }
}
