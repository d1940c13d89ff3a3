//! Opening a database: checks which program it belongs to, configures the connection, and migrates
//! the tables.

use std::{io::ErrorKind, path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};

use super::{Migration, OpenError, migration};

/// `META`, in the header of the files that this library creates.
const APPLICATION_ID: i32 = 0x4D45_5441;

/// The wait for another tool that has the file locked.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The size that the write-ahead log is cut back to at the checkpoint after a burst: 16 MiB.
const MAX_WAL_BYTES: i64 = 16 * 1024 * 1024;

/// Prepared statements kept per connection.
const CACHED_STATEMENTS: usize = 64;

/// The failure that a write survives once it has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// Survives a power cut: each group of writes waits for the disk.
    #[default]
    Full,
    /// Survives the end of the process. A power cut may take the last commits, and never damages
    /// the file.
    Normal,
}

/// Settings of a [`Writer`](super::Writer).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// The failure that a write survives once it has returned. Default: a power cut.
    pub durability: Durability,
    /// Capacity of the queue, in writes; one more waits for a place. Default: 1,024.
    pub queue: usize,
    /// Most writes in one commit. Default: 256.
    pub group: usize,
    /// The file's `application_id`, which says which program the database belongs to. Default: this
    /// library's.
    pub application_id: i32,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            durability: Durability::Full,
            queue: 1_024,
            group: 256,
            application_id: APPLICATION_ID,
        }
    }
}

impl SqliteOptions {
    /// Returns the defaults with this durability.
    #[must_use]
    pub fn durability(durability: Durability) -> Self {
        Self {
            durability,
            ..Self::default()
        }
    }
}

/// Opens the writer's connection and migrates the database.
pub(super) fn open_writable(
    path: &Path,
    options: &SqliteOptions,
    migrations: &[Migration],
) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let failed = |source| OpenError::sqlite(path, source);
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    // Without the permission to write, SQLite opens the file for reading and reports that only at
    // the first write.
    if connection.is_readonly("main").map_err(failed)? {
        return Err(OpenError::io(path, ErrorKind::PermissionDenied.into()));
    }
    claim(&connection, path, options.application_id)?;
    configure(&connection, options.durability).map_err(failed)?;
    migration::apply(&mut connection, path, migrations)?;
    Ok(connection)
}

/// Opens a connection that cannot write.
pub(crate) fn readable(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(connection)
}

/// Puts the `application_id` into an empty file, and refuses a file of another program before
/// anything in it changes.
fn claim(connection: &Connection, path: &Path, application_id: i32) -> Result<(), OpenError> {
    let failed = |source| OpenError::sqlite(path, source);
    let found: i32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(failed)?;
    if found == application_id {
        return Ok(());
    }
    let sql = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = connection
        .query_row(sql, [], |row| row.get(0))
        .map_err(failed)?;
    if found != 0 || tables != 0 {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
            found,
        });
    }
    connection
        .pragma_update(None, "application_id", application_id)
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
    connection.pragma_update(None, "journal_size_limit", MAX_WAL_BYTES)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(())
}
