//! The keys of a file. It is read again when it has changed.

use std::{
    fs::{File, Metadata},
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::task::spawn_blocking;

use super::{
    document::KeyTable,
    loader::{JwksError, KeyLoader, LoadedKeys, MAX_BYTES},
};

/// A check that a file may be read. It may block.
pub(super) type FileCheck = dyn Fn(&Path) -> Result<(), JwksError> + Send + Sync;

/// A file with a key set.
pub(super) struct KeyFile {
    file: Arc<CheckedFile>,
    place: String,
    read: Mutex<Option<Version>>,
}

struct CheckedFile {
    path: PathBuf,
    check: Box<FileCheck>,
}

/// Tells the versions of a file apart.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    modified: Option<SystemTime>,
    length: u64,
}

impl KeyFile {
    /// Reads the file for the first time.
    pub(super) fn open(path: &Path, check: Box<FileCheck>) -> Result<(Self, KeyTable), JwksError> {
        let file = CheckedFile {
            path: path.to_owned(),
            check,
        };
        let (version, table) = file.read()?;
        let file = Self {
            file: Arc::new(file),
            place: path.display().to_string(),
            read: Mutex::new(Some(version)),
        };
        Ok((file, table))
    }

    async fn load_changed(&self) -> Result<LoadedKeys, JwksError> {
        let last = *self.read.lock();
        let file = Arc::clone(&self.file);
        let changed = spawn_blocking(move || file.read_changed(last)).await;
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

impl CheckedFile {
    /// Reads the file unless it still has the version that was read last.
    fn read_changed(
        &self,
        last: Option<Version>,
    ) -> Result<Option<(Version, KeyTable)>, JwksError> {
        let version = Version::of(&self.path.metadata().map_err(JwksError::File)?);
        if Some(version) == last {
            return Ok(None);
        }
        self.read().map(Some)
    }

    fn read(&self) -> Result<(Version, KeyTable), JwksError> {
        (self.check)(&self.path)?;
        read(&self.path)
    }
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
