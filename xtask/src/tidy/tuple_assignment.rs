//! One statement a line: two values are not assigned by way of a tuple.
//!
//! `let (a, b) = (x, y);` saves a line and costs the reader a matching of two lists. The parts of a
//! value that already is a tuple may get names: `let (tx, rx) = channel();`.

use super::finding::Finding;
use super::source::Source;
use super::tokens::{Kind, Token, begins, group_end, tokens};

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let lines = lines(&tokens(&source.text));
    lines
        .into_iter()
        .map(|line| Finding::new(line, "one statement a line, not a tuple"))
        .collect()
}

/// Returns the lines on which a tuple of values is assigned to a tuple of names.
pub(super) fn lines(tokens: &[Token]) -> Vec<usize> {
    let code: Vec<Token> = tokens
        .iter()
        .filter(|token| token.kind != Kind::Doc)
        .copied()
        .collect();
    let opens = (0..code.len()).filter(|at| is_assignment(&code, *at));
    opens.map(|at| code[at].line).collect()
}

/// Returns true if the bracket at `open` begins such an assignment.
fn is_assignment(code: &[Token], open: usize) -> bool {
    let Some(before) = open.checked_sub(1).map(|before| code[before]) else {
        return false;
    };
    let begins_statement = before.is_one_of(&["let", ";", "{", "}", "=>"]);
    if !code[open].is("(") || !begins_statement {
        return false;
    }
    let end = group_end(code, open);
    let is_plain = !before.is("let") || code[open..end].iter().all(is_binding);
    is_plain && is_tuple(code, open) && equals(code, end).is_some_and(|at| is_value(code, at))
}

/// Returns true for what plain bindings consist of.
fn is_binding(token: &Token) -> bool {
    token.kind == Kind::Word || token.is_one_of(&["(", ")", ",", "&"])
}

/// Returns where the assigned value begins; a type may stand before the `=`.
fn equals(code: &[Token], at: usize) -> Option<usize> {
    let mut at = at;
    if begins(code, at, &[":"]) {
        while !code.get(at)?.is_one_of(&["=", ";"]) {
            at = if code[at].is("(") {
                group_end(code, at)
            } else {
                at + 1
            };
        }
    }
    code.get(at)?.is("=").then_some(at + 1)
}

/// Returns true if the value is a tuple as it is, not the result of a method on one.
fn is_value(code: &[Token], at: usize) -> bool {
    let after = code.get(group_end(code, at));
    let ends = after.is_none_or(|after| after.is_one_of(&[";", "}", ","]));
    begins(code, at, &["("]) && ends && is_tuple(code, at)
}

/// Returns true if there is a comma directly in the brackets.
fn is_tuple(code: &[Token], open: usize) -> bool {
    let end = group_end(code, open);
    let mut at = open + 1;
    while at + 1 < end {
        if code[at].is(",") {
            return true;
        }
        at = if code[at].is_one_of(&["(", "[", "{"]) {
            group_end(code, at)
        } else {
            at + 1
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_line(code: &str, expected: &[usize]) {
        assert_eq!(lines(&tokens(code)), expected);
    }

    #[test]
    fn a_tuple_of_values_is_found() {
        check_line("fn a() {\nlet (a, b) = (x, y);\n}", &[2]);
        check_line("let (mut a, (b, _)) = (x.c(), (1, 2));", &[1]);
        check_line("let (a, b): (u8, Vec<u8>) = (x, y);", &[1]);
        check_line(
            "let (\n    a,\n    b,\n) = (\n    f(x, y),\n    z,\n);",
            &[1],
        );
    }

    #[test]
    fn a_tuple_of_places_is_found() {
        check_line("a();\n(self.a, b[0]) = (b, a);", &[2]);
        check_line("match a { B => (c, d) = (e, f), }", &[1]);
    }

    #[test]
    fn parts_of_a_tuple_may_get_names() {
        check_line("let (tx, rx) = channel(1, 2);", &[]);
        check_line("let (a, b) = (x, y).into();", &[]);
        check_line("let (a, b) = (x);", &[]);
        check_line("let Some((a, b)) = c else { return };", &[]);
        check_line(
            "match (a, b) { (c, d) => (d, c), (e, f) if e == (f, g) => {} }",
            &[],
        );
        check_line("(a, b) == (c, d);", &[]);
        check_line("// let (a, b) = (x, y);", &[]);
    }
}
