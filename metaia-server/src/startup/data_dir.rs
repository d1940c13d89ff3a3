//! The data folder: the database, its lock, and the made secrets. For its owner only.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A folder that cannot be.
#[derive(Debug, thiserror::Error)]
#[error("the data folder {} cannot be used", .path.display())]
pub(crate) struct DataFolderError {
    path: PathBuf,
    source: io::Error,
}

/// Makes the folder where there is none.
pub(crate) fn prepare(folder: &Path) -> Result<(), DataFolderError> {
    if folder.is_dir() {
        return Ok(());
    }
    make(folder).map_err(|source| DataFolderError {
        path: folder.to_owned(),
        source,
    })
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// Where the database is.
pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join("metaia.db")
}
