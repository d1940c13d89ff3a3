//! Finds scenario files.

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
    let mut found = Vec::new();
    for file in files {
        if !found.contains(&file) {
            found.push(file);
        }
    }
    Ok(found)
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
            find_in_folder(&path, files)?;
        } else if is_scenario(&path) {
            files.push(path);
        }
    }
    Ok(())
}

/// Returns whether a file of a folder is a scenario. Those that begin with `_` are parts, for
/// `include`.
fn is_scenario(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let name = path.file_name().and_then(|name| name.to_str());
    let is_part = name.is_none_or(|name| name.starts_with(['_', '.']));
    matches!(ending, Some("yaml" | "yml")) && !is_part
}
