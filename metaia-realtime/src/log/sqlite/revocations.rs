//! Revocations of tokens, beside the log: they outlive the process as it does.

use std::path::Path;

use rusqlite::{Connection, Row, Savepoint, params};

use super::{checksum::Checksum, log::SqliteLog};
use crate::{
    revocation::{
        KEPT_AFTER_END_MS, Revocation, RevocationChanges, RevocationCursor, RevocationError,
        RevocationStore,
    },
    values::time,
};

/// A row that cannot be read, by its `rowid`.
struct DamagedRow(i64);

/// For one node: no other process can open the database.
impl RevocationStore for SqliteLog {
    fn is_shared(&self) -> bool {
        false
    }

    async fn put(&self, revocation: Revocation) -> Result<Revocation, RevocationError> {
        let path = self.path().to_owned();
        let work = move |db: &Savepoint<'_>| {
            let now = time::unix_ms();
            let mut damaged = delete_ended(db, now)?;
            damaged.extend(find(db, &revocation.key())?.and_then(Result::err));
            // First: the record of everyone may be the one that is put.
            replace(db, &damaged, now, &path)?;
            let bound = raise(db, &revocation)?;
            let stored = Revocation::from_stored(&revocation.key(), bound);
            Ok::<_, rusqlite::Error>(stored.unwrap_or(revocation))
        };
        let stored = self.state.writer.write(work).await;
        stored.map_err(RevocationError::new)
    }

    /// Returns all of them in each pass, in the order of the rows: the node asks once. It is a
    /// write, since damaged rows are replaced.
    async fn changed_since(
        &self,
        since: Option<RevocationCursor>,
        limit: usize,
    ) -> Result<RevocationChanges, RevocationError> {
        let path = self.path().to_owned();
        let work = move |db: &Savepoint<'_>| {
            let (mut page, damaged) = read_page(db, since.as_ref(), limit)?;
            let everyone = replace(db, &damaged, time::unix_ms(), &path)?;
            page.revocations.extend(everyone);
            Ok::<_, rusqlite::Error>(page)
        };
        let page = self.state.writer.write(work).await;
        page.map_err(RevocationError::new)
    }
}

/// Reads the page after this cursor. The rows that are damaged are not in it.
fn read_page(
    db: &Connection,
    since: Option<&RevocationCursor>,
    limit: usize,
) -> rusqlite::Result<(RevocationChanges, Vec<DamagedRow>)> {
    let after = since.and_then(|cursor| cursor.as_str().parse().ok());
    let after: i64 = after.unwrap_or(i64::MIN);
    let sql = "SELECT rowid, key, bound, sum FROM rt_revocation
        WHERE rowid > ?1 ORDER BY rowid LIMIT ?2";
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query(params![after, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut page = RevocationChanges::default();
    let mut damaged = Vec::new();
    let mut last = None;
    while let Some(row) = rows.next()? {
        last = Some(row.get::<_, i64>(0)?);
        match parse(row)? {
            Ok(revocation) => page.revocations.push(revocation),
            Err(row) => damaged.push(row),
        }
    }
    // A page that is full may be the last one: then an empty one follows.
    page.has_more = page.revocations.len() + damaged.len() == limit;
    if let Some(last) = last.filter(|_| page.has_more) {
        page.cursor = RevocationCursor::new(last.to_string());
    }
    Ok((page, damaged))
}

/// Returns the record of this key, or the row that should have it.
fn find(db: &Connection, key: &str) -> rusqlite::Result<Option<Result<Revocation, DamagedRow>>> {
    let sql = "SELECT rowid, key, bound, sum FROM rt_revocation WHERE key = ?1";
    let mut select = db.prepare_cached(sql)?;
    let found = select.query_map([key], parse)?.next();
    found.transpose()
}

/// Stores a revocation, unless one of its key stands with a greater bound. Returns the bound that
/// stands. A damaged row of its key is overwritten: [`replace`] it first.
fn raise(db: &Connection, revocation: &Revocation) -> rusqlite::Result<i64> {
    let key = revocation.key();
    let before = find(db, &key)?.and_then(Result::ok);
    let bound = before.map_or(i64::MIN, |before| before.bound());
    let bound = bound.max(revocation.bound());
    let sql = "INSERT INTO rt_revocation (key, bound, sum) VALUES (?1, ?2, ?3)
        ON CONFLICT (key) DO UPDATE SET bound = ?2, sum = ?3";
    let sum = checksum(&key, bound);
    db.prepare_cached(sql)?.execute(params![key, bound, sum])?;
    Ok(bound)
}

/// Deletes the records of tokens that have ended at `now`, in ms since the Unix epoch. Returns the
/// rows whose bounds are not those that were written.
fn delete_ended(db: &Connection, now: i64) -> rusqlite::Result<Vec<DamagedRow>> {
    // The range of keys is that of the index.
    let sql = "SELECT rowid, key, bound, sum FROM rt_revocation
        WHERE key >= 'token ' AND key < 'token!' AND bound <= ?1";
    let ended = now.saturating_sub(KEPT_AFTER_END_MS);
    let mut select = db.prepare_cached(sql)?;
    let found: rusqlite::Result<Vec<_>> = select.query_map([ended], parse)?.collect();
    let mut damaged = Vec::new();
    for ended in found? {
        match ended {
            Ok(ended) => {
                let sql = "DELETE FROM rt_revocation WHERE key = ?1";
                db.prepare_cached(sql)?.execute([ended.key()])?;
            }
            Err(row) => damaged.push(row),
        }
    }
    Ok(damaged)
}

/// Replaces damaged rows: it is not known of whom they are, so that everyone's tokens until `now`
/// are revoked. Returns that record, if there was one.
fn replace(
    db: &Connection,
    damaged: &[DamagedRow],
    now: i64,
    path: &Path,
) -> rusqlite::Result<Option<Revocation>> {
    if damaged.is_empty() {
        return Ok(None);
    }
    for DamagedRow(row) in damaged {
        let sql = "DELETE FROM rt_revocation WHERE rowid = ?1";
        db.prepare_cached(sql)?.execute([row])?;
    }
    tracing::error!(
        path = %path.display(),
        damaged = damaged.len(),
        "records of revoked tokens are damaged: all tokens issued until now are revoked"
    );
    let bound = raise(db, &Revocation::of_everyone(now))?;
    Ok(Some(Revocation::of_everyone(bound)))
}

/// Reads a row, or names one that is not what was written.
fn parse(row: &Row<'_>) -> rusqlite::Result<Result<Revocation, DamagedRow>> {
    let damaged = DamagedRow(row.get(0)?);
    Ok(parse_sound(row).ok_or(damaged))
}

/// Returns `None` if the row is not what was written.
fn parse_sound(row: &Row<'_>) -> Option<Revocation> {
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
