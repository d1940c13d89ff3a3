//! One module: what it defines, declares, imports and names.

use std::collections::{BTreeMap, BTreeSet};

/// A module's path below the crate's root, which is the empty path.
pub(super) type ModulePath = Vec<String>;

#[derive(Debug, Default)]
pub(super) struct Module {
    pub(super) path: ModulePath,
    /// The file that it is in, as an index into the crate's files.
    pub(super) file: usize,
    /// The items that it defines.
    pub(super) items: BTreeSet<String>,
    /// The macros that it defines for the crate's root, by `#[macro_export]`.
    pub(super) exported: BTreeSet<String>,
    /// The modules which it declares, each in a file of its own: `mod x;`.
    pub(super) declared: Vec<Declared>,
    pub(super) uses: Vec<Use>,
    /// Paths in code, outside of `use`, with their lines.
    pub(super) paths: Vec<(Vec<String>, usize)>,
    /// Names without a path in code, with the first line of each.
    pub(super) words: BTreeMap<String, usize>,
}

impl Module {
    /// Returns the path of the module `name` in this one.
    pub(super) fn child_path(&self, name: &str) -> ModulePath {
        let mut path = self.path.clone();
        path.push(name.to_owned());
        path
    }
}

/// A module in a file of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) name: String,
    /// The file, from the folder of the declaring one, if `#[path = "…"]` names it.
    pub(super) path: Option<String>,
}

/// A name that a module brings into its scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) segments: Vec<String>,
    /// The name here, `*` for everything in the module of that path.
    pub(super) name: String,
    pub(super) line: usize,
    /// True for `pub use` and `pub(…) use`.
    pub(super) is_public: bool,
}

impl Use {
    pub(super) fn is_glob(&self) -> bool {
        self.name == "*"
    }
}
