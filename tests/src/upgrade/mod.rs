//! Data that an earlier version wrote, and what this version must find in them.
//!
//! A fixture is a data folder or the collections of a MongoDB database, with a *manifest*: requests
//! and clients, and what the earlier version itself answered them and sent to them. [`story`] is
//! what happened on the earlier version, [`observe`] asks a server all of it, [`dump`] moves
//! collections between a database and files. `tests/fixtures/README.md` says how to make one.

pub mod dump;
mod observe;
pub mod story;

use std::path::PathBuf;

use serde_json::Value;

use crate::server::paths::package_path;

use observe::options;
pub use observe::{assert_contains, change, observe};

/// Returns the folder of a fixture that this commit has written.
#[must_use]
pub fn fixture(commit: &str, name: &str) -> PathBuf {
    package_path("fixtures").join(commit).join(name)
}

/// Reads the manifest of a fixture.
#[must_use]
pub fn manifest(fixture: &std::path::Path) -> Value {
    let path = fixture.join("manifest.json");
    let text = std::fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("a manifest is JSON")
}

/// Returns the server of an earlier version, if `METAIA_OLD_SERVER` names one.
#[must_use]
pub fn old_server() -> Option<PathBuf> {
    std::env::var_os("METAIA_OLD_SERVER").map(PathBuf::from)
}

/// Returns the members of a list in a manifest.
pub(crate) fn list<'a>(manifest: &'a mut Value, name: &str) -> &'a mut Vec<Value> {
    let list = manifest[name].as_array_mut();
    list.unwrap_or_else(|| panic!("a manifest has a list `{name}`"))
}

/// Returns a text in a manifest, or an empty one if it is absent.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
