//! Follows a path to the file that defines what it names, through re-exports and globs.

use super::module::{Module, ModulePath, Use};
use super::tree::Tree;

/// Re-exports of re-exports end somewhere; two modules that glob each other do not.
const LONGEST_CHAIN: usize = 12;

/// The end of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// An item that this file defines.
    Item(usize),
    Module(ModulePath),
    /// No definition was found; a macro may have made it. The path led into this file.
    Within(usize),
    /// Another crate.
    Outside,
}

impl Tree<'_> {
    /// Returns the file that a path in the module `from` leads to, `None` for other crates.
    pub(super) fn file_of(&self, from: &Module, segments: &[String]) -> Option<usize> {
        match self.follow(from, segments, 0) {
            Place::Item(file) | Place::Within(file) => Some(file),
            Place::Module(path) => self.modules.get(&path).map(|module| module.file),
            Place::Outside => None,
        }
    }

    /// Returns the file that defines a name which the glob import `glob` brings into `from`.
    pub(super) fn file_by_glob(&self, from: &Module, glob: &Use, name: &str) -> Option<usize> {
        match self.by_glob(from, glob, &[name.to_owned()], 0)? {
            Place::Item(file) => Some(file),
            _ => None,
        }
    }

    fn follow(&self, from: &Module, segments: &[String], chain: usize) -> Place {
        let (base, rest) = base_of(from, segments);
        let Some(module) = base.and_then(|base| self.modules.get(&base)) else {
            return Place::Outside;
        };
        let is_relative = rest.len() == segments.len();
        match self.descend(module, rest, chain) {
            // A first name that the module does not know is another crate's.
            None if is_relative => Place::Outside,
            None => Place::Within(module.file),
            Some(place) => place,
        }
    }

    /// Returns where the path leads from `module` on, `None` if the module lacks its first name.
    fn descend(&self, module: &Module, segments: &[String], chain: usize) -> Option<Place> {
        let Some((name, rest)) = segments.split_first() else {
            return Some(Place::Module(module.path.clone()));
        };
        let child = self.child(module, name);
        if let Some(child) = child.filter(|_| !rest.is_empty()) {
            let below = self.descend(child, rest, chain);
            return Some(below.unwrap_or(Place::Within(child.file)));
        }
        if module.items.contains(name) {
            return Some(Place::Item(module.file));
        }
        self.by_name(module, segments, chain)
            .or_else(|| self.exported(module, name))
            .or_else(|| child.map(|child| Place::Module(child.path.clone())))
            .or_else(|| self.by_any_glob(module, segments, chain))
    }

    fn child(&self, module: &Module, name: &str) -> Option<&Module> {
        self.modules.get(&module.child_path(name))
    }

    /// Follows a `use` of the module that brings the first name.
    fn by_name(&self, module: &Module, segments: &[String], chain: usize) -> Option<Place> {
        if chain >= LONGEST_CHAIN {
            return None;
        }
        let (name, rest) = segments.split_first()?;
        let named = module.uses.iter().filter(|found| found.name == *name);
        let mut places =
            named.map(|found| self.follow(module, &[&found.segments, rest].concat(), chain + 1));
        places.next()
    }

    /// Finds a macro that some module exports to the root.
    fn exported(&self, module: &Module, name: &str) -> Option<Place> {
        if !module.path.is_empty() {
            return None;
        }
        let home = self
            .modules
            .values()
            .find(|module| module.exported.contains(name));
        home.map(|home| Place::Item(home.file))
    }

    fn by_any_glob(&self, module: &Module, segments: &[String], chain: usize) -> Option<Place> {
        let mut globs = module.uses.iter().filter(|found| found.is_glob());
        globs.find_map(|glob| self.by_glob(module, glob, segments, chain))
    }

    /// Looks into the module of a glob import. Only what is surely there counts.
    fn by_glob(
        &self,
        from: &Module,
        glob: &Use,
        segments: &[String],
        chain: usize,
    ) -> Option<Place> {
        if chain >= LONGEST_CHAIN {
            return None;
        }
        let Place::Module(path) = self.follow(from, &glob.segments, chain + 1) else {
            return None;
        };
        let module = self
            .modules
            .get(&path)
            .filter(|module| module.path != from.path)?;
        let place = self.descend(module, segments, chain + 1)?;
        matches!(place, Place::Item(_) | Place::Module(_)).then_some(place)
    }
}

/// Splits a path into the module that it begins in and the rest. The rest is the whole path if it
/// begins with a plain name.
fn base_of<'a>(from: &Module, segments: &'a [String]) -> (Option<ModulePath>, &'a [String]) {
    let mut base = Some(from.path.clone());
    let mut rest = segments;
    while let Some((first, after)) = rest.split_first() {
        match first.as_str() {
            "crate" => base = Some(Vec::new()),
            "self" => {}
            "super" => base = base.and_then(|base| parent(&base)),
            _ => break,
        }
        rest = after;
    }
    (base, rest)
}

fn parent(path: &[String]) -> Option<ModulePath> {
    path.split_last().map(|(_, parent)| parent.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::source::Source;

    const FILES: [(&str, &str); 6] = [
        (
            "lib.rs",
            "mod a; mod b; mod ids; pub use a::A; pub use b::*; pub use ids::Id; use std::fmt;",
        ),
        (
            "a/mod.rs",
            "mod inner; pub(crate) use inner::Deep as A; use crate::b::B; mod hidden;",
        ),
        ("a/inner.rs", "pub struct Deep; fn x() { super::B; }"),
        ("a/hidden.rs", ""),
        (
            "b.rs",
            "pub enum B { One } #[macro_export] macro_rules! made { () => {} }",
        ),
        ("ids.rs", "text_id! { Id }"),
    ];

    /// Checks the file to which a path in the module `from` leads.
    #[track_caller]
    fn check(from: &str, path: &str, expected: Option<&str>) {
        let sources = FILES.map(|(name, text)| Source::new(&format!("x/src/{name}"), text));
        let tree = Tree::read(&sources, "x/src/");
        let segments = |path: &str| path.split("::").map(str::to_owned).collect::<Vec<_>>();
        let from = if from.is_empty() {
            Vec::new()
        } else {
            segments(from)
        };
        let file = tree.file_of(&tree.modules[&from], &segments(path));
        assert_eq!(file.map(|file| tree.name(file)), expected);
    }

    #[test]
    fn re_exports_lead_to_the_definition() {
        check("b", "crate::A", Some("a/inner.rs"));
        check("b", "crate::A::new", Some("a/inner.rs"));
        check("a::inner", "crate::B", Some("b.rs"));
        check("a::inner", "super::B::One", Some("b.rs"));
        check("a::inner", "super::super::B", Some("b.rs"));
    }

    #[test]
    fn a_name_that_is_not_defined_leads_to_the_last_module() {
        check("b", "crate::Id", Some("ids.rs"));
        check("b", "crate::a::unknown", Some("a/mod.rs"));
        check("b", "crate::a::hidden", Some("a/hidden.rs"));
        check("b", "crate::made", Some("b.rs"));
    }

    #[test]
    fn other_crates_are_outside() {
        check("", "std::fmt::Display", None);
        check("", "fmt::Display", None);
        check("a", "tokio::B", None);
    }
}
