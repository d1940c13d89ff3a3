//! The keys of a file. It is read again when it has changed.

use std::{
    fs::{File, Metadata},
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::task::spawn_blocking;

use super::{
    document::KeyTable,
    loader::{JwksError, KeyLoader, LoadedKeys, MAX_BYTES},
};

/// A file with a key set.
pub(super) struct KeyFile {
    path: PathBuf,
    place: String,
    read: Mutex<Option<Version>>,
}

/// Tells the versions of a file apart.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    modified: Option<SystemTime>,
    length: u64,
}

impl KeyFile {
    /// Reads the file for the first time.
    pub(super) fn open(path: &Path) -> Result<(Self, KeyTable), JwksError> {
        let (version, table) = read(path)?;
        let file = Self {
            path: path.to_owned(),
            place: path.display().to_string(),
            read: Mutex::new(Some(version)),
        };
        Ok((file, table))
    }

    async fn load_changed(&self) -> Result<LoadedKeys, JwksError> {
        let last = *self.read.lock();
        let path = self.path.clone();
        let changed = spawn_blocking(move || read_changed(&path, last)).await;
        let changed = changed.map_err(|error| JwksError::File(io::Error::other(error)))??;
        let table = changed.map(|(version, table)| {
            *self.read.lock() = Some(version);
            table
        });
        Ok(LoadedKeys {
            table,
            max_age: None,
        })
    }
}

impl KeyLoader for KeyFile {
    fn load(&self) -> BoxFuture<'_, Result<LoadedKeys, JwksError>> {
        Box::pin(self.load_changed())
    }

    fn place(&self) -> &str {
        &self.place
    }
}

/// Reads a file unless it still has the version that was read last.
fn read_changed(
    path: &Path,
    last: Option<Version>,
) -> Result<Option<(Version, KeyTable)>, JwksError> {
    let version = Version::of(&path.metadata().map_err(JwksError::File)?);
    if Some(version) == last {
        return Ok(None);
    }
    read(path).map(Some)
}

fn read(path: &Path) -> Result<(Version, KeyTable), JwksError> {
    let metadata = path.metadata().map_err(JwksError::File)?;
    // Opening a pipe would wait for its writer.
    if !metadata.is_file() {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
        return Err(JwksError::File(error));
    }
    let file = File::open(path).map_err(JwksError::File)?;
    // One byte more than is allowed tells a file that is too long.
    let mut file = file.take(MAX_BYTES as u64 + 1);
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(JwksError::File)?;
    if text.len() > MAX_BYTES {
        return Err(JwksError::TooLong);
    }
    Ok((Version::of(&metadata), KeyTable::parse(&text)?))
}

impl Version {
    fn of(metadata: &Metadata) -> Self {
        Self {
            modified: metadata.modified().ok(),
            length: metadata.len(),
        }
    }
}
