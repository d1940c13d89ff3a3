//! The functions of a file, with the length of their bodies.

use std::collections::BTreeSet;

use super::tokens::{Kind, Token, group_end};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function<'a> {
    pub(super) name: &'a str,
    pub(super) line: usize,
    /// The lines of its body that are not blank and not only a comment.
    pub(super) length: usize,
}

/// Returns every function with a body, in the order of the file.
pub(super) fn functions<'a>(tokens: &[Token<'a>]) -> Vec<Function<'a>> {
    let code: Vec<Token> = tokens
        .iter()
        .filter(|token| token.kind != Kind::Doc)
        .copied()
        .collect();
    let starts = (0..code.len()).filter(|at| code[*at].is("fn"));
    starts.filter_map(|at| function(&code, at)).collect()
}

fn function<'a>(code: &[Token<'a>], at: usize) -> Option<Function<'a>> {
    // The type of a function pointer has no name: `fn(u8)`.
    let name = code.get(at + 1).filter(|name| name.kind == Kind::Word)?;
    let open = body(code, at + 2)?;
    let inside = &code[open + 1..group_end(code, open).max(open + 2) - 1];
    let lines: BTreeSet<usize> = inside
        .iter()
        .flat_map(|token| token.line..=token.last_line())
        .collect();
    Some(Function {
        name: name.text,
        line: code[at].line,
        length: lines.len(),
    })
}

/// Returns where the body begins; a method that a trait only declares has none.
fn body(code: &[Token], at: usize) -> Option<usize> {
    let mut at = at;
    while !code.get(at)?.is_one_of(&["{", ";"]) {
        at = if code[at].is_one_of(&["(", "["]) {
            group_end(code, at)
        } else {
            at + 1
        };
    }
    code[at].is("{").then_some(at)
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    #[test]
    fn bodies_are_measured_without_blanks_and_comments() {
        let text = "fn a(x: [u8; 4]) -> u8 {\n    // why\n\n    b(\n        \"c\nd\",\n    )\n}\n";
        let found = functions(&tokens(text));
        assert_eq!(
            found,
            [Function {
                name: "a",
                line: 1,
                length: 4
            }]
        );
    }

    #[test]
    fn declarations_and_pointers_have_no_body() {
        assert_eq!(
            functions(&tokens("trait A { fn a(); }\ntype B = fn(u8);\n")),
            []
        );
        assert_eq!(
            functions(&tokens("fn a() {}"))
                .first()
                .map(|found| found.length),
            Some(0)
        );
    }
}
