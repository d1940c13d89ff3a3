//! Checks that imports lead down: each file belongs to a level, and none imports from above.

use super::imports::Import;
use super::levels::{Level, Plan};
use super::tree::Tree;

/// Files that hold no code of a level: the roots, and the readme's examples.
const ROOTS: [&str; 3] = ["lib.rs", "main.rs", "readme.rs"];

/// The level of a file, and the path of the level that it begins with.
#[derive(Debug, Clone, Copy)]
struct Home {
    height: usize,
    path: &'static str,
}

/// Returns a finding for each import that leads up or aside, and each file without a level.
pub(super) fn check(plan: &Plan, tree: &Tree, imports: &[Import]) -> Vec<String> {
    let mut found = homeless(plan, tree);
    found.extend(vacant(plan, tree));
    let wrong = imports.iter().filter_map(|import| {
        let why = wrong(plan, tree, import)?;
        let from = &tree.files[import.from].path;
        Some(format!(
            "{from}:{}: imports {}, {why}",
            import.line,
            tree.name(import.to)
        ))
    });
    found.extend(wrong);
    found
}

fn homeless(plan: &Plan, tree: &Tree) -> Vec<String> {
    let files = 0..tree.files.len();
    let without = files.filter(|file| home(plan, tree.name(*file)).is_none());
    let counted = without.filter(|file| !is_table_of_contents(tree, *file));
    counted
        .map(|file| homeless_finding(&tree.files[file].path))
        .collect()
}

/// Returns a finding for each path in the table that is not in the crate.
fn vacant(plan: &Plan, tree: &Tree) -> Vec<String> {
    let is_home = |path: &str| (0..tree.files.len()).any(|file| tree.name(file).starts_with(path));
    let paths = plan.levels.iter().flat_map(|level| level.paths);
    let gone = paths.filter(|path| !is_home(path));
    gone.map(|path| format!("{}{path}: is not there, remove it from levels.rs", plan.src))
        .collect()
}

fn homeless_finding(path: &str) -> String {
    format!("{path}: belongs to no level: add it to xtask/src/tidy/layers/levels.rs")
}

/// Returns true for a root, and for a `mod.rs` that defines nothing itself.
fn is_table_of_contents(tree: &Tree, file: usize) -> bool {
    let name = tree.name(file);
    let mut modules = tree.modules.values().filter(|module| module.file == file);
    let is_empty = modules.all(|module| module.items.is_empty());
    ROOTS.contains(&name) || (name.ends_with("/mod.rs") && is_empty)
}

fn home(plan: &Plan, name: &str) -> Option<Home> {
    let numbered = plan.levels.iter().enumerate();
    let paths = numbered
        .flat_map(|(height, level)| level.paths.iter().map(move |path| Home { height, path }));
    let fitting = paths.filter(|home| name.starts_with(home.path));
    fitting.max_by_key(|home| home.path.len())
}

/// Returns what is wrong with an import, if anything.
fn wrong(plan: &Plan, tree: &Tree, import: &Import) -> Option<String> {
    let from = home(plan, tree.name(import.from))?;
    let to = home(plan, tree.name(import.to))?;
    if to.height > from.height {
        return Some(format!("a level above ({} < {})", from.path, to.path));
    }
    let level: &Level = plan.levels.get(from.height)?;
    let is_aside = to.height == from.height && to.path != from.path && !level.is_together;
    is_aside.then(|| format!("of the same level ({} beside {})", from.path, to.path))
}

#[cfg(test)]
mod tests {
    use super::super::imports::imports;
    use super::*;
    use crate::tidy::source::Source;

    const LEVELS: &[Level] = &[
        Level {
            paths: &["low/", "low_too/"],
            is_together: false,
        },
        Level {
            paths: &["mid/", "mid_too/"],
            is_together: true,
        },
        Level {
            paths: &["top/", "low/high/"],
            is_together: false,
        },
    ];

    const LIB: &str =
        "mod low; mod low_too; mod mid; mod mid_too; mod top; pub use top::{Top, deep::*};";

    /// Checks a crate in which the file `name` has this text.
    #[track_caller]
    fn check_file(name: &str, text: &str, expected: &[&str]) {
        let files = [
            ("lib.rs", LIB),
            ("low/mod.rs", "mod high; pub struct Low; mod inner;"),
            ("low/inner.rs", ""),
            ("low/high/mod.rs", ""),
            ("low_too/mod.rs", "pub struct LowToo;"),
            ("mid/mod.rs", ""),
            ("mid_too/mod.rs", "pub struct MidToo;"),
            ("top/mod.rs", "pub mod deep; pub struct Top;"),
            ("top/deep.rs", "pub struct Deep;"),
        ];
        let planted = |(file, usual): (&str, &str)| {
            let text = if file == name {
                format!("{usual}\n{text}")
            } else {
                usual.to_owned()
            };
            Source::new(&format!("x/src/{file}"), &text)
        };
        let sources = files.map(planted);
        let tree = Tree::read(&sources, "x/src/");
        let plan = Plan {
            src: "x/src/",
            levels: LEVELS,
            circles: &[],
        };
        assert_eq!(check(&plan, &tree, &imports(&tree)), expected);
    }

    #[test]
    fn an_import_from_above_is_found() {
        let above = ["x/src/low/inner.rs:2: imports top/mod.rs, a level above (low/ < top/)"];
        check_file("low/inner.rs", "use crate::{Top, low::Low};", &above);
        check_file("low/inner.rs", "fn a(top: crate::Top) {}", &above);
        check_file("low/inner.rs", "use super::super::top::Top;", &above);
        check_file("low/inner.rs", "fn a(top: super::super::Top) {}", &above);
        check_file("low/inner.rs", "use crate::*; fn a(top: Top) {}", &above);
        check_file("low/inner.rs", "use crate::top::*;", &above);
        let deep = ["x/src/low/inner.rs:2: imports top/deep.rs, a level above (low/ < top/)"];
        check_file("low/inner.rs", "use crate::Deep as Shallow;", &deep);
    }

    #[test]
    fn an_import_from_below_is_none() {
        check_file("top/mod.rs", "use crate::{low::Low, mid_too::MidToo};", &[]);
        check_file(
            "low/high/mod.rs",
            "use super::Low; use crate::mid_too::MidToo;",
            &[],
        );
        check_file(
            "low/inner.rs",
            "#[cfg(test)] mod tests { use crate::Top; }",
            &[],
        );
        check_file(
            "low/inner.rs",
            "// crate::Top\nconst A: &str = \"crate::Top\";",
            &[],
        );
    }

    #[test]
    fn an_import_aside_needs_a_level_that_is_together() {
        let aside = "x/src/low/inner.rs:2: imports low_too/mod.rs, \
            of the same level (low/ beside low_too/)";
        check_file("low/inner.rs", "use crate::low_too::LowToo;", &[aside]);
        check_file("mid/mod.rs", "use crate::mid_too::MidToo;", &[]);
    }

    #[test]
    fn a_file_without_a_level_and_a_level_without_files_are_found() {
        let sources = [
            Source::new("x/src/lib.rs", "mod a; mod b;"),
            Source::new("x/src/a.rs", ""),
            Source::new("x/src/b/mod.rs", "mod c; pub use c::C;"),
            Source::new("x/src/b/c.rs", "pub struct C;"),
        ];
        let tree = Tree::read(&sources, "x/src/");
        let levels = &[Level {
            paths: &["b/c.rs", "d/"],
            is_together: false,
        }];
        let plan = Plan {
            src: "x/src/",
            levels,
            circles: &[],
        };
        let found = check(&plan, &tree, &[]);
        assert_eq!(
            found,
            [
                "x/src/a.rs: belongs to no level: add it to xtask/src/tidy/layers/levels.rs",
                "x/src/d/: is not there, remove it from levels.rs"
            ]
        );
    }
}
