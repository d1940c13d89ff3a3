//! Goes through the code of one module and notes what it defines, declares, imports and names.

use super::module::{Declared, Module, Use};
use super::use_tree::leaves;
use crate::tidy::tokens::{Kind, Token, begins, group_end};

/// Keywords that are followed by the name of the item which they define.
const DEFINING: [&str; 8] = [
    "struct", "enum", "union", "trait", "fn", "const", "static", "type",
];

/// Words between such a keyword and the name: `const fn a`, `static mut A`.
const BETWEEN: [&str; 6] = ["fn", "unsafe", "async", "extern", "mut", "_"];

/// A module in braces, with the range of tokens between them.
pub(super) struct InlineModule<'a> {
    pub(super) name: &'a str,
    pub(super) begin: usize,
    pub(super) end: usize,
}

/// Goes through the code of one module, token by token.
pub(super) struct Reader<'a> {
    code: &'a [Token<'a>],
    at: usize,
    /// The number of open brackets: items stand outside of all.
    depth: usize,
    /// True directly behind `pub` or `pub(…)`.
    is_public: bool,
    /// The file of the next module, if an attribute names it.
    path: Option<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(code: &'a [Token<'a>]) -> Self {
        Self {
            code,
            at: 0,
            depth: 0,
            is_public: false,
            path: None,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.code.len()
    }

    /// Steps over `mod x { … }` if it is next.
    pub(super) fn inline_module(&mut self) -> Option<InlineModule<'a>> {
        let open = self.at + 2;
        if !begins(self.code, self.at, &["mod"]) || !begins(self.code, open, &["{"]) {
            return None;
        }
        let end = group_end(self.code, open);
        let name = self.code[self.at + 1].text;
        self.at = end;
        Some(InlineModule {
            name,
            begin: open + 1,
            end: end - 1,
        })
    }

    /// Steps over the next token, or what begins with it, and notes it in the module.
    pub(super) fn step(&mut self, module: &mut Module) {
        let token = self.code[self.at];
        let was_public = std::mem::take(&mut self.is_public);
        match token.text {
            "pub" if token.kind == Kind::Word => self.visibility(),
            "use" if token.kind == Kind::Word && !self.is("<", 1) => self.uses(module, was_public),
            "mod" if token.kind == Kind::Word && self.is(";", 2) => self.declaration(module),
            "macro_rules" if self.is("!", 1) => self.macro_rules(module),
            _ if token.kind == Kind::Word => self.word(module),
            _ => self.mark(token),
        }
    }

    fn is(&self, text: &str, ahead: usize) -> bool {
        begins(self.code, self.at + ahead, &[text])
    }

    fn was(&self, texts: &[&str]) -> bool {
        let before = self
            .at
            .checked_sub(1)
            .and_then(|before| self.code.get(before));
        before.is_some_and(|token| token.is_one_of(texts))
    }

    /// Steps over `pub(in crate::a)`, whose path is no import.
    fn visibility(&mut self) {
        self.at += 1;
        self.is_public = true;
        if self.is("(", 0) {
            self.at = group_end(self.code, self.at);
        }
    }

    fn uses(&mut self, module: &mut Module, is_public: bool) {
        for leaf in leaves(&self.code[self.at + 1..]) {
            let name = leaf.name;
            module.uses.push(Use {
                segments: leaf.segments,
                name,
                line: leaf.line,
                is_public,
            });
        }
        while self.at < self.code.len() && !self.is(";", 0) {
            self.at += 1;
        }
    }

    fn declaration(&mut self, module: &mut Module) {
        let name = self.code[self.at + 1].text.to_owned();
        module.declared.push(Declared {
            name,
            path: self.path.take(),
        });
        self.at += 2;
    }

    fn macro_rules(&mut self, module: &mut Module) {
        let name = self
            .code
            .get(self.at + 2)
            .map_or("", |name| name.text)
            .to_owned();
        let before = &self.code[self.at.saturating_sub(4)..self.at];
        if begins(before, 0, &["#", "[", "macro_export", "]"]) {
            module.exported.insert(name.clone());
        }
        module.items.insert(name);
        self.at += 3;
    }

    fn word(&mut self, module: &mut Module) {
        let token = self.code[self.at];
        if self.depth == 0 && token.is_one_of(&DEFINING) {
            module.items.extend(self.defined_name());
        }
        let follows_another = self.was(&["::", "."]) || (self.was(&["$"]) && !token.is("crate"));
        let segments = self.path();
        if follows_another {
            return;
        }
        if segments.len() > 1 {
            module.paths.push((segments, token.line));
        } else {
            module
                .words
                .entry(token.text.to_owned())
                .or_insert(token.line);
        }
    }

    fn defined_name(&self) -> Option<String> {
        let after = self.code.iter().skip(self.at + 1);
        let mut names = after.skip_while(|token| token.is_one_of(&BETWEEN));
        let name = names.next().filter(|name| name.kind == Kind::Word)?;
        Some(name.text.to_owned())
    }

    /// Reads `a::b::c`, up to what is no name any more.
    fn path(&mut self) -> Vec<String> {
        let mut segments = Vec::from([self.code[self.at].text.to_owned()]);
        self.at += 1;
        while self.is("::", 0) {
            let Some(next) = self
                .code
                .get(self.at + 1)
                .filter(|next| next.kind == Kind::Word)
            else {
                break;
            };
            segments.push(next.text.to_owned());
            self.at += 2;
        }
        segments
    }

    fn mark(&mut self, token: Token) {
        if token.is("#") && begins(self.code, self.at + 1, &["[", "path", "="]) {
            let path = self.code.get(self.at + 4);
            self.path = path.map(|path| path.text.trim_matches('"').to_owned());
        }
        if token.is_one_of(&["(", "[", "{"]) {
            self.depth += 1;
        }
        if token.is_one_of(&[")", "]", "}"]) {
            self.depth = self.depth.saturating_sub(1);
        }
        self.at += 1;
    }
}
