//! Code that exists only in test builds: items behind `#[cfg(test)]`, and whole folders of tests.

use std::ops::Range;

use super::tokens::{Kind, Token, begins, group_end};

/// Keywords that begin an item, as opposed to a field or a match arm.
const ITEMS: [&str; 14] = [
    "pub", "mod", "use", "fn", "struct", "enum", "trait", "impl", "const", "static", "type",
    "async", "unsafe", "extern",
];

/// Items which end with `;` even if there are braces in them.
const STATEMENTS: [&str; 5] = ["use", "const", "static", "type", "let"];

/// Returns true if the file is in a folder of tests or benchmarks.
pub(super) fn is_in_test_folder(path: &str) -> bool {
    let starts = path.starts_with("tests/") || path.starts_with("examples/");
    starts || path.contains("/tests/") || path.contains("/benches/") || path.ends_with("/tests.rs")
}

/// Returns the tokens without the items that exist only in test builds.
pub(super) fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut live = Vec::new();
    let mut from = 0;
    for range in test_items(tokens) {
        live.extend_from_slice(&tokens[from..range.start]);
        drop_docs(&mut live);
        from = range.end;
    }
    live.extend_from_slice(&tokens[from..]);
    live
}

/// Removes the docs of the item that was left out, so that the next item does not inherit them.
fn drop_docs(live: &mut Vec<Token>) {
    while live.last().is_some_and(|token| token.kind == Kind::Doc) {
        live.pop();
    }
}

/// Returns the ranges of tokens of the items that exist only in test builds, with the attribute.
pub(super) fn test_items(tokens: &[Token]) -> Vec<Range<usize>> {
    if is_test_attribute(tokens, 0, &["#", "!", "["]) {
        return std::iter::once(0..tokens.len()).collect();
    }
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if is_test_attribute(tokens, at, &["#", "["]) {
            let end = item_end(tokens, group_end(tokens, at + 1));
            found.push(at..end);
            at = end;
        } else {
            at += 1;
        }
    }
    found
}

/// Returns true for `cfg(test)` and `cfg(all(test, …))`; `any` and `not` exist without tests, too.
fn is_test_attribute(tokens: &[Token], at: usize, opening: &[&str]) -> bool {
    if !begins(tokens, at, opening) {
        return false;
    }
    let inside = at + opening.len();
    begins(tokens, inside, &["cfg", "(", "test", ")"]) || is_all_with_test(tokens, inside)
}

fn is_all_with_test(tokens: &[Token], at: usize) -> bool {
    if !begins(tokens, at, &["cfg", "(", "all", "("]) {
        return false;
    }
    let open = at + 3;
    let terms = &tokens[open + 1..group_end(tokens, open)];
    let mut depth = 0usize;
    for term in terms {
        match term.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "test" if depth == 0 => return true,
            _ => {}
        }
    }
    false
}

/// Returns the index behind the item at `at`, whose further attributes come first.
fn item_end(tokens: &[Token], at: usize) -> usize {
    let mut at = at;
    while begins(tokens, at, &["#", "["]) {
        at = group_end(tokens, at + 1);
    }
    let ending = Ending::of(&tokens[at..]);
    while at < tokens.len() && !tokens[at].is_one_of(&[")", "]", "}"]) {
        let first = tokens[at];
        let is_group = first.is_one_of(&["(", "[", "{"]);
        at = if is_group {
            group_end(tokens, at)
        } else {
            at + 1
        };
        if ending.is_at(&first) {
            return at;
        }
    }
    at
}

/// The end of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Only `;`: there may be braces in it.
    Semicolon,
    /// Its braces, or `;`: there may be commas in its types.
    Braces,
    /// Also a comma: it is a field or a match arm.
    Comma,
}

impl Ending {
    fn of(item: &[Token]) -> Self {
        let keywords = item.iter().take_while(|token| token.kind == Kind::Word);
        let has = |wanted: &[&str]| keywords.clone().any(|token| token.is_one_of(wanted));
        // `const fn` is a function.
        if has(&STATEMENTS) && !has(&["fn"]) {
            return Self::Semicolon;
        }
        let is_item = item.first().is_some_and(|token| token.is_one_of(&ITEMS));
        if is_item { Self::Braces } else { Self::Comma }
    }

    fn is_at(self, token: &Token) -> bool {
        match self {
            Self::Semicolon => token.is(";"),
            Self::Braces => token.is_one_of(&[";", "{"]),
            Self::Comma => token.is_one_of(&[";", "{", ","]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let live = without_tests(&tokens(text));
        let words: Vec<&str> = live.iter().map(|token| token.text).collect();
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn items_behind_cfg_test_are_left_out() {
        check("a; #[cfg(test)] mod tests { b } c;", "a ; c ;");
        check("#[cfg(test)] pub(crate) mod testing; c;", "c ;");
        check("#[cfg(test)] use a::{b, c}; d;", "d ;");
        check(
            "/// Doc.\n#[cfg(test)] #[x(y)] fn a<T, U>() { b } fn c() {}",
            "fn c ( ) { }",
        );
        check("#[cfg(test)] pub(crate) const fn a() { b } c;", "c ;");
        check("#[cfg(all(test, feature = \"x\"))] mod tests; c;", "c ;");
        check("S { #[cfg(test)] a: 1, b }", "S { b }");
        check("S { b, #[cfg(test)] a: 1 }", "S { b , }");
    }

    #[test]
    fn what_exists_without_tests_too_is_kept() {
        let any = "# [ cfg ( any ( test , x ) ) ] a ;";
        check(any, any);
        let not = "# [ cfg ( not ( test ) ) ] a ;";
        check(not, not);
    }

    #[test]
    fn a_file_may_be_for_tests_as_a_whole() {
        check("#![cfg(test)] use a;", "");
    }
}
