//! The log's tables. They lie beside the tables of the application that shares the database, and
//! have a [version](super::version) of their own.

use rusqlite::Connection;

use super::meta::Meta;

/// - `rt_meta`: one row, see [`Meta`].
/// - `rt_entry`: the entries, numbered without holes.
/// - `rt_room`: the entries of each room, chained so that a missing link is noticed, see
///   [`super::rooms`].
/// - `rt_trimmed`: the highest trimmed `n` of each room, see [`super::marks`].
/// - `rt_device`: the records of clients that may reconnect, see [`super::devices`].
/// - `rt_revocation`, [added later](ADDED_TABLES): revoked tokens, see [`super::revocations`].
const TABLES: &str = "
CREATE TABLE rt_meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    head INTEGER NOT NULL,
    head_id BLOB NOT NULL,
    floor INTEGER NOT NULL,
    lost INTEGER NOT NULL,
    others INTEGER NOT NULL,
    marks INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    copied INTEGER NOT NULL,
    sum INTEGER NOT NULL
) STRICT;
CREATE TABLE rt_entry (
    n INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    ts INTEGER NOT NULL,
    rooms TEXT NOT NULL,
    name TEXT NOT NULL,
    payload TEXT NOT NULL,
    sum INTEGER NOT NULL
) STRICT;
CREATE TABLE rt_room (
    room TEXT NOT NULL,
    n INTEGER NOT NULL,
    prev INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    PRIMARY KEY (room, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE rt_trimmed (
    room TEXT PRIMARY KEY,
    n INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE rt_device (
    key TEXT PRIMARY KEY,
    position TEXT NOT NULL,
    orders TEXT NOT NULL,
    connections INTEGER NOT NULL,
    at INTEGER NOT NULL,
    sum INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX rt_device_by_time ON rt_device (at);
";

/// The tables that the logs of earlier versions lack. Those versions ignore them, so that the
/// version of the log stays the same.
const ADDED_TABLES: &str = "
CREATE TABLE IF NOT EXISTS rt_revocation (
    key TEXT NOT NULL UNIQUE,
    bound INTEGER NOT NULL,
    sum INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS rt_revocation_by_end ON rt_revocation (bound)
    WHERE key >= 'token ' AND key < 'token!';
";

/// Creates the tables that are missing. A new log is empty and of a new epoch.
pub(super) fn create_if_missing(db: &Connection) -> rusqlite::Result<()> {
    if !exists(db)? {
        db.execute_batch(TABLES)?;
        Meta::empty_log().write(db)?;
    }
    db.execute_batch(ADDED_TABLES)
}

/// Returns whether the database has a log.
pub(super) fn exists(db: &Connection) -> rusqlite::Result<bool> {
    let sql =
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'rt_meta')";
    db.query_row(sql, [], |row| row.get(0))
}
