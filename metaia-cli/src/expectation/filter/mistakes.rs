//! Errors of jaq about a text, in the words of this tool, with place and cure.

use std::ops::Range;

use jaq_core::compile::Undefined;
use jaq_core::load::lex::{StrPart, Tok, Token};
use jaq_core::load::{lex, parse};

use super::invalid::{InvalidFilter, span};
use super::pure;

/// Returns the error of a text that is not made of tokens.
pub(super) fn lexing(text: &str, errors: &[lex::Error<&str>]) -> InvalidFilter {
    let Some((expected, found)) = errors.first() else {
        return InvalidFilter::new("the filter cannot be read", 0..text.len());
    };
    let first = found.chars().next().map_or(0, char::len_utf8);
    let found = found.get(..first).unwrap_or_default();
    if let lex::Expect::Delim(open) = expected {
        let message = format!("`{open}` has no {}", expected.as_str());
        return InvalidFilter::new(message, span(text, open));
    }
    let expected = article(expected.as_str());
    let message = match found {
        "" => format!("expected {expected}, but the filter ends"),
        ")" | "]" | "}" => format!("`{found}` closes nothing"),
        _ => format!("expected {expected}, not `{found}`"),
    };
    InvalidFilter::new(message, span(text, found)).hint(character_hint(found))
}

fn character_hint(found: &str) -> Option<String> {
    let hint = match found {
        "'" | "‘" | "’" | "“" | "”" => "write texts in \" \"",
        "&" => "write `and`",
        "!" => "write `| not` behind it",
        "~" => "write test(\"REGEX\")",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Returns the error of tokens that make no filter.
pub(super) fn parsing(text: &str, errors: &[parse::TError<'_, &str>]) -> InvalidFilter {
    let Some((expected, found)) = errors.first() else {
        return InvalidFilter::new("the filter cannot be read", 0..text.len());
    };
    let found = Token::opt_as_str(*found, text);
    let place = span(text, found);
    let expected = expected_part(expected.as_str());
    let message = if found.is_empty() {
        format!("expected {expected}, but the filter ends")
    } else {
        format!("expected {expected}, not `{}`", shortened(found))
    };
    InvalidFilter::new(message, place).hint(operator_hint(found))
}

/// Returns jaq's word for a part of a filter as it is printed: keywords in quotes, others named.
fn expected_part(word: &str) -> String {
    match word {
        "nothing" => "the end of the filter".to_owned(),
        "term" => article("value"),
        "key" | "argument" | "identifier" | "pattern" | "string" | "variable" => article(word),
        "else or end" => "`else` or `end`".to_owned(),
        several if several.contains(' ') => article(several),
        keyword => format!("`{keyword}`"),
    }
}

fn article(word: &str) -> String {
    let vowel = word.starts_with(['a', 'e', 'i', 'o', 'u']);
    let article = if vowel { "an" } else { "a" };
    format!("{article} {word}")
}

fn shortened(found: &str) -> String {
    let short: String = found.chars().take(20).collect();
    if short.len() < found.len() {
        short + "…"
    } else {
        short
    }
}

/// Returns what to write for an operator of another language.
fn operator_hint(found: &str) -> Option<String> {
    let hint = match found {
        "||" => "write `or`",
        "=" | "===" => "write `==`",
        "!==" | "<>" => "write `!=`",
        "!" => "write `| not` behind it",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Returns the error of a name that is not there.
pub(super) fn undefined(text: &str, name: &str, kind: &Undefined, known: &[&str]) -> InvalidFilter {
    let (message, hint) = match (name, kind) {
        ("reduce", Undefined::Filter(_)) => ("reduce takes 2 arguments".to_owned(), None),
        ("foreach", Undefined::Filter(_)) => ("foreach takes 2 or 3 arguments".to_owned(), None),
        (_, Undefined::Filter(args)) => pure::undefined_call(name, *args),
        (_, Undefined::Var) => pure::undefined_variable(name, known),
        (_, kind) => (format!("there is no {} {name}", kind.as_str()), None),
    };
    InvalidFilter::new(message, span(text, name)).hint(hint)
}

/// Returns an error if there is an `=`: it makes an object, which counts as true.
pub(super) fn no_assignment(text: &str, tokens: &[Token<&str>]) -> Result<(), InvalidFilter> {
    for Token(token, kind) in tokens {
        match kind {
            Tok::Sym if *token == "=" => return Err(assigns(span(text, token))),
            Tok::Block(inner) => no_assignment(text, inner)?,
            Tok::Str(parts) => in_parts(text, parts)?,
            _ => {}
        }
    }
    Ok(())
}

fn in_parts(text: &str, parts: &[StrPart<&str, Token<&str>>]) -> Result<(), InvalidFilter> {
    parts.iter().try_for_each(|part| match part {
        StrPart::Term(token) => no_assignment(text, std::slice::from_ref(token)),
        StrPart::Str(_) | StrPart::Char(_) => Ok(()),
    })
}

fn assigns(place: Range<usize>) -> InvalidFilter {
    let message = "`=` assigns a value, which makes an object";
    InvalidFilter::new(message, place).hint(Some("did you mean `==`?".to_owned()))
}
