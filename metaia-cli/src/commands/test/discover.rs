//! Finds scenario files.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// Returns the scenario files of these files and folders, in order, each once.
///
/// # Errors
/// A path that is not there, a folder without scenarios.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            find_in_folder(path, &mut files)?;
            if files.len() == before {
                let text = format!("{} has no scenario file", path.display());
                return Err(Failure::usage(text).hint("scenario files end with .yaml or .yml"));
            }
        } else if path.is_file() {
            files.push(path.clone());
        } else {
            let text = format!("there is no file or folder {}", path.display());
            return Err(Failure::usage(text));
        }
    }
    let mut seen = HashSet::new();
    // A file that cannot be resolved is refused when it is read.
    files.retain(|file| seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())));
    Ok(files)
}

fn find_in_folder(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed =
        |error| Failure::usage(format!("{} cannot be read", folder.display())).caused_by(error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    for path in paths {
        if path.is_dir() {
            if !leads_back(&path, folder) {
                find_in_folder(&path, files)?;
            }
        } else if is_scenario(&path) {
            files.push(path);
        }
    }
    Ok(())
}

/// Returns whether a path is a symbolic link to its own folder, or to one above it: what is in
/// there is found anyway.
fn leads_back(path: &Path, folder: &Path) -> bool {
    let (Ok(target), Ok(folder)) = (path.canonicalize(), folder.canonicalize()) else {
        return false;
    };
    folder.starts_with(target)
}

/// Returns whether a file of a folder is a scenario. Those that begin with `_` are parts, for
/// `include`.
fn is_scenario(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let name = path.file_name().and_then(|name| name.to_str());
    let is_part = name.is_none_or(|name| name.starts_with(['_', '.']));
    matches!(ending, Some("yaml" | "yml")) && !is_part
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_back_is_not_followed_and_a_file_with_two_names_is_found_once() {
        let name = format!("metaia-discover-{}", std::process::id());
        let root = std::env::temp_dir().join(name);
        let inner = root.join("inner");
        fs::create_dir_all(&inner).unwrap();
        let file = inner.join("a.yaml");
        fs::write(&file, "").unwrap();
        symlink(".", inner.join("itself")).unwrap();
        symlink("..", inner.join("above")).unwrap();
        symlink("a.yaml", inner.join("b.yaml")).unwrap();
        let again = inner.join("itself/a.yaml");
        let found = find(&[root.clone(), again]);
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(found.unwrap(), [file]);
    }
}
