//! Reads the modules out of a file's tokens: the file's own, then those written in braces.

use super::module::{Module, ModulePath};
use super::reader::Reader;
use crate::tidy::tokens::{Kind, Token};

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
        let mut reader = Reader::new(code);
        while !reader.is_done() {
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
        assert_eq!(found[0].declared[0].name, "a");
        assert!(found[0].items.contains("e") && !found[0].items.contains("d"));
        assert_eq!(found[1].path, ["b"]);
        assert_eq!(found[1].declared[0].name, "c");
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
