//! The names of the files that lie beside another one.

use std::path::{Path, PathBuf};

/// Returns the path with `suffix` added to the file's name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_follows_the_whole_name() {
        let beside = beside(Path::new("data/metaia.db"), "-wal");
        assert_eq!(beside, Path::new("data/metaia.db-wal"));
    }
}
