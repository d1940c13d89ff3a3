//! Revocations of tokens, beside the log: they outlive the process as it does.

use rusqlite::{Connection, Row, Savepoint, params};

use super::{checksum::Checksum, log::SqliteLog};
use crate::{
    revocation::{
        KEPT_AFTER_END_MS, Revocation, RevocationChanges, RevocationCursor, RevocationError,
        RevocationStore,
    },
    values::time,
};

/// For one node: no other process can open the database.
impl RevocationStore for SqliteLog {
    fn is_shared(&self) -> bool {
        false
    }

    async fn put(&self, revocation: Revocation) -> Result<Revocation, RevocationError> {
        let work = move |db: &Savepoint<'_>| {
            let stored = put_record(db, &revocation)?;
            delete_ended(db, time::unix_ms())?;
            Ok::<_, rusqlite::Error>(stored.unwrap_or(revocation))
        };
        let stored = self.state.writer.write(work).await;
        stored.map_err(RevocationError::new)
    }

    /// Returns all of them: the node asks once. It is a write, since damaged rows are replaced.
    async fn changed_since(
        &self,
        _: Option<RevocationCursor>,
    ) -> Result<RevocationChanges, RevocationError> {
        let path = self.path().to_owned();
        let work = move |db: &Savepoint<'_>| {
            let damaged = replace_damaged(db, time::unix_ms())?;
            if damaged > 0 {
                tracing::error!(
                    path = %path.display(),
                    damaged,
                    "records of revoked tokens are damaged: all tokens issued until now are revoked"
                );
            }
            all_records(db)
        };
        let revocations = self.state.writer.write(work).await;
        Ok(RevocationChanges {
            revocations: revocations.map_err(RevocationError::new)?,
            cursor: RevocationCursor::default(),
        })
    }
}

/// Stores a revocation, and returns the record that stands; `None` if that one is damaged.
fn put_record(db: &Connection, revocation: &Revocation) -> rusqlite::Result<Option<Revocation>> {
    let key = revocation.key();
    let sql = "SELECT rowid, key, bound, sum FROM rt_revocation WHERE key = ?1";
    let before = db
        .prepare_cached(sql)?
        .query_map([&key], |row| Ok(parse(row)))?
        .next()
        .transpose()?
        .flatten();
    let bound = before.map_or(i64::MIN, |before| before.bound());
    let bound = bound.max(revocation.bound());
    let sql = "INSERT INTO rt_revocation (key, bound, sum) VALUES (?1, ?2, ?3)
        ON CONFLICT (key) DO UPDATE SET bound = ?2, sum = ?3";
    let sum = checksum(&key, bound);
    db.prepare_cached(sql)?.execute(params![key, bound, sum])?;
    Ok(Revocation::from_stored(&key, bound))
}

/// Deletes the records of tokens that have ended at `now`, in ms since the Unix epoch.
fn delete_ended(db: &Connection, now: i64) -> rusqlite::Result<()> {
    // The range of keys is that of the index.
    let sql = "DELETE FROM rt_revocation
        WHERE key >= 'token ' AND key < 'token!' AND bound <= ?1";
    let ended = now.saturating_sub(KEPT_AFTER_END_MS);
    db.prepare_cached(sql)?.execute([ended])?;
    Ok(())
}

fn all_records(db: &Connection) -> rusqlite::Result<Vec<Revocation>> {
    let sql = "SELECT rowid, key, bound, sum FROM rt_revocation";
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query([])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.extend(parse(row));
    }
    Ok(records)
}

/// Replaces damaged rows: it is not known of whom they are, so that everyone's tokens are revoked.
/// Returns how many there were.
fn replace_damaged(db: &Connection, now: i64) -> rusqlite::Result<usize> {
    let damaged = damaged_rows(db)?;
    for row in &damaged {
        let sql = "DELETE FROM rt_revocation WHERE rowid = ?1";
        db.prepare_cached(sql)?.execute([row])?;
    }
    if !damaged.is_empty() {
        put_record(db, &Revocation::of_everyone(now))?;
    }
    Ok(damaged.len())
}

fn damaged_rows(db: &Connection) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT rowid, key, bound, sum FROM rt_revocation";
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query([])?;
    let mut damaged = Vec::new();
    while let Some(row) = rows.next()? {
        if parse(row).is_none() {
            damaged.push(row.get(0)?);
        }
    }
    Ok(damaged)
}

/// Returns `None` if the row is not what was written.
fn parse(row: &Row<'_>) -> Option<Revocation> {
    let key = row.get_ref(1).ok()?.as_str().ok()?;
    let bound: i64 = row.get(2).ok()?;
    let sum: i64 = row.get(3).ok()?;
    if sum != checksum(key, bound) {
        return None;
    }
    Revocation::from_stored(key, bound)
}

fn checksum(key: &str, bound: i64) -> i64 {
    Checksum::new("revocation").text(key).number(bound).finish()
}
