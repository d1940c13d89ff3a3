//! `metaia-server backup FILE`: a copy of the database, of one moment, whether a server runs or
//! not.
//!
//! It only reads, and so does not need the lock that keeps a second server out. A server that
//! starts on the copy begins a new epoch: clients who have seen more than the copy has are told to
//! reload.

use std::path::Path;

use metaia_realtime::log::sqlite::{self, BackupError};

use crate::{config::Config, startup::data_dir as data};

/// Makes the copy, and says what it made.
pub(crate) fn make(config: &Config, file: &Path) -> Result<String, BackupError> {
    let database = data::database(&config.data);
    sqlite::backup(&database, file)?;
    let bytes = file.metadata().map_or(0, |file| file.len());
    Ok(format!(
        "{} was copied to {} ({bytes} bytes)",
        database.display(),
        file.display()
    ))
}
