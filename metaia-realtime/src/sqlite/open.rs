//! Opening a database: whose is it, is it whole, and how is it to be written.

use std::{io::ErrorKind, path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};

use super::{Migration, OpenError, migration};

/// `META`, in the header of the files that this library made.
const APPLICATION_ID: i32 = 0x4D45_5441;

/// How long to wait for somebody who looks into the file with another tool.
const BUSY: Duration = Duration::from_secs(5);

/// Prepared statements kept per connection.
const STATEMENTS: usize = 64;

/// What an answered write outlives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// A power cut: each group of writes waits for the disk.
    #[default]
    Full,
    /// The end of the process. A power cut may take the last commits, and never damages the file.
    Normal,
}

/// How a database is written.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// What an answered write outlives. Default: a power cut.
    pub durability: Durability,
    /// Writes that may wait; one more waits for a place. Default: 1,024.
    pub queue: usize,
    /// Most writes in one commit. Default: 256.
    pub group: usize,
    /// Whose database it is: the file's `application_id`. Default: this library's.
    pub application_id: i32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::Full,
            queue: 1_024,
            group: 256,
            application_id: APPLICATION_ID,
        }
    }
}

impl Options {
    /// The defaults with this durability.
    #[must_use]
    pub fn durability(durability: Durability) -> Self {
        Self {
            durability,
            ..Self::default()
        }
    }
}

/// The connection of the writer, migrated.
pub(super) fn writable(
    path: &Path,
    options: &Options,
    migrations: &[Migration],
) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let failed = |source| OpenError::sqlite(path, source);
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    // Without the permission to write, SQLite opens for reading and says so only at the first
    // write.
    if connection.is_readonly("main").map_err(failed)? {
        return Err(OpenError::io(path, ErrorKind::PermissionDenied.into()));
    }
    claim(&connection, path, options.application_id)?;
    configure(&connection, options.durability).map_err(failed)?;
    migration::apply(&mut connection, path, migrations)?;
    Ok(connection)
}

/// A connection that cannot write.
pub(crate) fn readable(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Makes an empty file ours, and refuses one that is somebody else's before anything in it changes.
fn claim(connection: &Connection, path: &Path, ours: i32) -> Result<(), OpenError> {
    let failed = |source| OpenError::sqlite(path, source);
    let found: i32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(failed)?;
    if found == ours {
        return Ok(());
    }
    let count = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = connection
        .query_row(count, [], |row| row.get(0))
        .map_err(failed)?;
    if found != 0 || tables != 0 {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
            found,
        });
    }
    connection
        .pragma_update(None, "application_id", ours)
        .map_err(failed)
}

fn configure(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
    };
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        tracing::warn!(
            mode,
            "this file system does not allow a write-ahead log: writes will be slow"
        );
    }
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // After a burst the log file is cut back to this at the next checkpoint.
    connection.pragma_update(None, "journal_size_limit", 16 * 1024 * 1024)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}
