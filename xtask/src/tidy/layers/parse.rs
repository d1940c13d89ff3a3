//! Reads the modules out of a file's tokens: the file's own, then those written in braces.

use super::module::{Module, ModulePath, Use};
use super::use_tree::leaves;
use crate::tidy::tokens::{Kind, Token, begins, group_end};

/// Keywords that are followed by the name of the item which they define.
const DEFINING: [&str; 8] = [
    "struct", "enum", "union", "trait", "fn", "const", "static", "type",
];

/// Words between such a keyword and the name: `const fn a`, `static mut A`.
const BETWEEN: [&str; 6] = ["fn", "unsafe", "async", "extern", "mut", "_"];

/// Returns the modules in a file whose own module has the path `path`.
pub(super) fn modules(tokens: &[Token], path: &ModulePath, file: usize) -> Vec<Module> {
    let code: Vec<Token> = tokens
        .iter()
        .filter(|token| token.kind != Kind::Doc)
        .copied()
        .collect();
    let mut parser = Parser {
        file,
        found: Vec::new(),
    };
    parser.module(&code, path.clone());
    parser.found.reverse();
    parser.found
}

struct Parser {
    file: usize,
    found: Vec<Module>,
}

impl Parser {
    fn module(&mut self, code: &[Token], path: ModulePath) {
        let mut module = Module {
            path,
            file: self.file,
            ..Module::default()
        };
        let mut reader = Reader {
            code,
            at: 0,
            depth: 0,
            is_public: false,
        };
        while reader.at < code.len() {
            if let Some(inner) = reader.inline_module() {
                let path = [module.path.as_slice(), &[inner.name.to_owned()]].concat();
                self.module(&code[inner.begin..inner.end], path);
            } else {
                reader.step(&mut module);
            }
        }
        self.found.push(module);
    }
}

struct InlineModule<'a> {
    name: &'a str,
    begin: usize,
    end: usize,
}

/// Goes through the code of one module, token by token.
struct Reader<'a> {
    code: &'a [Token<'a>],
    at: usize,
    /// How many brackets are open: items stand outside of all.
    depth: usize,
    /// True directly behind `pub` or `pub(…)`.
    is_public: bool,
}

impl<'a> Reader<'a> {
    /// Steps over `mod x { … }` if it is next.
    fn inline_module(&mut self) -> Option<InlineModule<'a>> {
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

    fn step(&mut self, module: &mut Module) {
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
        module.declared.push(self.code[self.at + 1].text.to_owned());
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
        if token.is_one_of(&["(", "[", "{"]) {
            self.depth += 1;
        }
        if token.is_one_of(&[")", "]", "}"]) {
            self.depth = self.depth.saturating_sub(1);
        }
        self.at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tokens::tokens;

    fn parse(text: &str) -> Vec<Module> {
        modules(&tokens(text), &Vec::new(), 0)
    }

    #[test]
    fn items_are_those_outside_of_braces() {
        let text = "pub(crate) struct A(u8); impl A { fn b() { const C: u8 = 1; } } const fn d() {}
            static mut E: u8 = 0; macro_rules! f { () => { struct G; } }";
        let items: Vec<String> = parse(text).remove(0).items.into_iter().collect();
        assert_eq!(items, ["A", "E", "d", "f"]);
    }

    #[test]
    fn modules_are_declared_or_written_in_braces() {
        let found = parse("mod a; pub mod b { mod c; use x::Y; fn d() {} } fn e() {}");
        assert_eq!(found[0].declared, ["a"]);
        assert!(found[0].items.contains("e") && !found[0].items.contains("d"));
        assert_eq!(found[1].path, ["b"]);
        assert_eq!(found[1].declared, ["c"]);
    }

    #[test]
    fn paths_in_code_are_those_with_colons() {
        let text = "fn a(x: crate::b::C) { super::d::e::<F>(x.g); ::std::h(); i::J { } }
            pub(in crate::k) fn l() {}";
        let module = parse(text).remove(0);
        let paths: Vec<String> = module
            .paths
            .iter()
            .map(|(path, _)| path.join("::"))
            .collect();
        assert_eq!(paths, ["crate::b::C", "super::d::e", "i::J"]);
        assert!(module.words.contains_key("F") && !module.words.contains_key("g"));
    }

    #[test]
    fn public_uses_are_told_from_private_ones() {
        let module = parse("use a::B; pub use c::D; pub(crate) use e::*;").remove(0);
        let public: Vec<bool> = module.uses.iter().map(|name| name.is_public).collect();
        assert_eq!(public, [false, true, true]);
        assert!(module.uses[2].is_glob());
    }

    #[test]
    fn exported_macros_belong_to_the_root() {
        let module = parse("#[macro_export]\nmacro_rules! a { () => {} }").remove(0);
        assert!(module.exported.contains("a"));
    }
}
