//! `use` trees, taken apart: `use a::{self, b as c, d::*}` brings three names.

use super::super::tokens::{Kind, Token};

/// One name that a `use` brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    /// The path that it leads to. It begins with an empty segment if it is written `::a::b`.
    pub(super) segments: Vec<String>,
    /// The name that it gets here, `*` for everything in the module of that path.
    pub(super) name: String,
    pub(super) line: usize,
}

/// Returns the names which the tree at the beginning of `tokens` brings; the tree ends with `;`.
pub(super) fn leaves(tokens: &[Token]) -> Vec<Leaf> {
    let mut reader = UseReader {
        tokens,
        at: 0,
        found: Vec::new(),
    };
    reader.tree(Vec::new());
    reader.found
}

struct UseReader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    found: Vec<Leaf>,
}

impl UseReader<'_> {
    /// Reads one tree below the path `segments`, up to the `,`, `}` or `;` behind it.
    fn tree(&mut self, mut segments: Vec<String>) {
        if self.takes("::") {
            segments.push(String::new());
        }
        while let Some(token) = self.tokens.get(self.at).copied() {
            if token.kind != Kind::Word {
                return self.end(&segments, token);
            }
            self.at += 1;
            segments.push(token.text.to_owned());
            if !self.takes("::") {
                return self.leaf(segments, token.line);
            }
        }
    }

    /// Reads what ends a path: a group or a star.
    fn end(&mut self, segments: &[String], token: Token) {
        self.at += 1;
        if token.is("{") {
            self.group(segments);
        } else if token.is("*") {
            self.add(segments.to_vec(), "*", token.line);
        }
    }

    fn group(&mut self, segments: &[String]) {
        while self.at < self.tokens.len() && !self.takes("}") {
            self.tree(segments.to_vec());
            self.takes(",");
        }
    }

    fn leaf(&mut self, mut segments: Vec<String>, line: usize) {
        // `a::{self}` is `a`.
        if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
            segments.pop();
        }
        let name = self
            .rename()
            .or_else(|| segments.last().cloned())
            .unwrap_or_default();
        self.add(segments, &name, line);
    }

    fn rename(&mut self) -> Option<String> {
        if !self.takes("as") {
            return None;
        }
        let name = self.tokens.get(self.at)?;
        self.at += 1;
        Some(name.text.to_owned())
    }

    fn add(&mut self, segments: Vec<String>, name: &str, line: usize) {
        let name = name.to_owned();
        self.found.push(Leaf {
            segments,
            name,
            line,
        });
    }

    fn is_at(&self, text: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.is(text))
    }

    /// Steps over the token if it is this one.
    fn takes(&mut self, text: &str) -> bool {
        let is_next = self.is_at(text);
        self.at += usize::from(is_next);
        is_next
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tokens::tokens;
    use super::*;

    #[track_caller]
    fn check(tree: &str, expected: &[&str]) {
        let found = leaves(&tokens(tree));
        let shown = found
            .iter()
            .map(|leaf| format!("{}={}", leaf.name, leaf.segments.join("::")));
        assert_eq!(shown.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn trees_are_taken_apart() {
        check("a::b;", &["b=a::b"]);
        check(
            "a::{b, c::{d, e}, f};",
            &["b=a::b", "d=a::c::d", "e=a::c::e", "f=a::f"],
        );
        check("a::{self, b as c, d::*,};", &["a=a", "c=a::b", "*=a::d"]);
        check("{a, crate::b};", &["a=a", "b=crate::b"]);
        check("super::super::a as _;", &["_=super::super::a"]);
        check("::a::b;", &["b=::a::b"]);
    }

    #[test]
    fn lines_are_of_the_name() {
        let lines: Vec<usize> = leaves(&tokens(
            "a::{
 b,
 c};",
        ))
        .iter()
        .map(|leaf| leaf.line)
        .collect();
        assert_eq!(lines, [2, 3]);
    }
}
