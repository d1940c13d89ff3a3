//! `metaia-server backup FILE`: copies the database as it is at one moment, while a server runs or
//! not.
//!
//! The command only reads, and so does not need the lock that keeps a second server out. A server
//! that starts on the copy begins a new epoch: clients that have seen more than the copy holds are
//! told to reload.

use std::path::Path;

use metaia_realtime::log::sqlite::{self, BackupError};

use crate::{config::Config, startup::data_dir};

/// Copies the database to `file`, and returns a report for the user.
pub(crate) fn copy(config: &Config, file: &Path) -> Result<String, BackupError> {
    let database = data_dir::database(&config.data);
    sqlite::backup(&database, file)?;
    let bytes = file.metadata().map_or(0, |file| file.len());
    Ok(format!(
        "{} was copied to {} ({bytes} bytes)",
        database.display(),
        file.display()
    ))
}
