//! The data folder: the database, its lock, and the generated secrets. Only its owner can read it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A data folder that does not exist and cannot be created.
#[derive(Debug, thiserror::Error)]
#[error("the data folder {} cannot be used", .path.display())]
pub(crate) struct DataFolderError {
    path: PathBuf,
    source: io::Error,
}

/// Creates the folder if it does not exist.
pub(crate) fn prepare(folder: &Path) -> Result<(), DataFolderError> {
    if folder.is_dir() {
        return Ok(());
    }
    create(folder).map_err(|source| DataFolderError {
        path: folder.to_owned(),
        source,
    })
}

fn create(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// Returns the path of the database in the folder.
pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join("metaia.db")
}
