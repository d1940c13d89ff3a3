//! The docs of a function begin with a verb, "Returns …", never with a question word.

use super::finding::Finding;
use super::source::Source;
use super::tokens::{Kind, Token, group_end};

const QUESTIONS: [&str; 9] = [
    "What", "Who", "Whose", "Whom", "Whether", "Where", "When", "How", "Which",
];

/// Words that may stand between the docs and `fn`.
const BEFORE_FN: [&str; 6] = ["pub", "const", "async", "unsafe", "extern", "default"];

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let tokens = source.live_tokens();
    let wrong = openings(&tokens)
        .into_iter()
        .filter(|opening| opening.asks());
    wrong.map(|opening| finding(&opening)).collect()
}

fn finding(opening: &Opening) -> Finding {
    let word = opening.word;
    Finding::new(
        opening.line,
        format!("docs of a function begin with a verb, not with `{word}`"),
    )
}

/// The first word of a function's docs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opening<'a> {
    pub(super) word: &'a str,
    pub(super) line: usize,
}

impl Opening<'_> {
    /// Returns true if it is a question word.
    pub(super) fn asks(&self) -> bool {
        QUESTIONS.contains(&self.word)
    }
}

/// Returns the first words of the docs of all functions.
pub(super) fn openings<'a>(tokens: &[Token<'a>]) -> Vec<Opening<'a>> {
    let is_doc = |at: usize| tokens[at].kind == Kind::Doc;
    let starts = (0..tokens.len()).filter(|at| is_doc(*at) && (*at == 0 || !is_doc(at - 1)));
    let of_functions = starts.filter(|at| documents_function(tokens, *at));
    of_functions.map(|at| opening(&tokens[at])).collect()
}

fn opening<'a>(doc: &Token<'a>) -> Opening<'a> {
    let text = doc.text.trim_start_matches('/').trim_start();
    let end = text
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(text.len());
    Opening {
        word: &text[..end],
        line: doc.line,
    }
}

/// Returns true if the item below the docs at `at`, behind its attributes, is a function.
fn documents_function(tokens: &[Token], at: usize) -> bool {
    let mut at = at;
    while let Some(token) = tokens.get(at) {
        let is_abi = token.kind == Kind::Literal;
        if token.is_one_of(&["#", "("]) {
            at = group_end(tokens, at + usize::from(token.is("#")));
        } else if token.kind == Kind::Doc || is_abi || token.is_one_of(&BEFORE_FN) {
            at += 1;
        } else {
            return token.is("fn");
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_lines(text: &str, expected: &[usize]) {
        let found = check(&Source::new("a/src/lib.rs", text));
        let lines: Vec<usize> = found.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_question_is_found() {
        check_lines("/// Whether it is.\nfn a() {}", &[1]);
        check_lines(
            "/// What's new.\n///\n/// More.\n#[must_use]\npub(crate) const fn a() {}",
            &[1],
        );
        check_lines("trait A {\n/// Who?\n#[x(y)]\nasync fn b();\n}", &[2]);
        check_lines("/// How.\nunsafe extern \"C\" fn a() {}", &[1]);
    }

    #[test]
    fn verbs_and_other_items_are_fine() {
        check_lines("/// Returns what it is.\nfn a() {}", &[]);
        check_lines("/// What it is.\nstruct A;\n/// Whichever.\nfn b() {}", &[]);
        check_lines("/// Where it is.\nconst A: u8 = 1;", &[]);
    }

    #[test]
    fn tests_are_left_out() {
        check_lines(
            "#[cfg(test)]\nmod tests {\n/// What it is.\nfn a() {} }",
            &[],
        );
        assert_eq!(
            check(&Source::new("tests/src/a.rs", "/// What.\nfn a() {}")),
            []
        );
    }
}
