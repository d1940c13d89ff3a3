//! The path of `contexts.toml`, and paths in files.

use std::path::{Path, PathBuf};

use crate::user_folders::{self, home};

/// Returns the path of `contexts.toml`. Returns `None` if the user has no folder for it: then there
/// are no contexts.
pub(crate) fn file() -> Option<PathBuf> {
    Some(user_folders::config()?.join("contexts.toml"))
}

/// Returns a path that is written in a file: `~` is the user's home, and a relative one is relative
/// to the folder of the file.
pub(super) fn resolve(written: &str, folder: &Path) -> PathBuf {
    let in_home = match written.strip_prefix('~') {
        Some("") => Some(""),
        Some(rest) => rest.strip_prefix('/'),
        None => None,
    };
    match (in_home, home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => folder.join(written),
    }
}

/// Returns the path with `~` for the user's home, for people.
pub(crate) fn shown(path: &Path) -> String {
    let in_home = home().and_then(|home| path.strip_prefix(home).ok().map(Path::to_owned));
    match in_home {
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_relative_to_the_file() {
        let folder = Path::new("/etc/metaia");
        assert_eq!(resolve("ca.pem", folder), Path::new("/etc/metaia/ca.pem"));
        assert_eq!(resolve("/ca.pem", folder), Path::new("/ca.pem"));
        assert_eq!(resolve("~x", folder), Path::new("/etc/metaia/~x"));
        if let Some(home) = home() {
            assert_eq!(resolve("~/ca.pem", folder), home.join("ca.pem"));
            assert_eq!(shown(&home.join("ca.pem")), "~/ca.pem");
        }
    }
}
