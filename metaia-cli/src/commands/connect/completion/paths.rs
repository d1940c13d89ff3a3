//! The paths of files that begin with a text.

use std::path::Path;

/// The most entries of a folder that are read. Tab must answer at once.
const MOST_ENTRIES: usize = 2_000;

/// Returns the paths that begin with this text, in order; those of folders end with `/`. A folder
/// that cannot be read has none. Hidden names are left out unless the text names them.
pub(in crate::commands::connect) fn paths(beginning: &str) -> Vec<String> {
    let (folder, name) = match beginning.rfind('/') {
        Some(slash) => beginning.split_at(slash + 1),
        None => ("", beginning),
    };
    let place = if folder.is_empty() { "." } else { folder };
    let Ok(entries) = std::fs::read_dir(place) else {
        return Vec::new();
    };
    let entries = entries.take(MOST_ENTRIES).filter_map(Result::ok);
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let is_meant = |found: &String| {
        found.starts_with(name)
            && (!found.starts_with('.') || name.starts_with('.'))
            && !found.contains(char::is_control)
    };
    let mut paths: Vec<String> = names
        .filter(is_meant)
        .map(|found| with_slash(format!("{folder}{found}")))
        .collect();
    paths.sort();
    paths
}

fn with_slash(path: String) -> String {
    if Path::new(&path).is_dir() {
        path + "/"
    } else {
        path
    }
}
