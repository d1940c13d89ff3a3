//! The version of the log's tables, independent of the migrations of the database they are in.

use std::path::Path;

use rusqlite::Connection;

use crate::sqlite::OpenError;

/// The newest version of the tables that this library knows.
pub(super) const VERSION: i64 = 1;

/// Refuses tables of a newer version. A row that cannot be read passes: reading it as a whole finds
/// the damage.
pub(super) fn check(db: &Connection, path: &Path) -> Result<(), OpenError> {
    let sql = "SELECT version FROM rt_meta WHERE one = 1";
    let found: i64 = db.query_row(sql, [], |row| row.get(0)).unwrap_or(VERSION);
    if found <= VERSION {
        return Ok(());
    }
    Err(OpenError::Newer {
        path: path.to_owned(),
        found: usize::try_from(found).unwrap_or(usize::MAX),
        known: VERSION as usize,
    })
}
