//! Answers under their idempotency keys, in SQLite.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use super::{fault::Fault, orders::signed, row::Record};
use crate::store::{Answer, Claim, Recall};

/// How many ended claims each new one clears away: more than one, so that their number falls.
const CLEARED: u32 = 8;

pub(super) fn recall(db: &Connection, claim: &Claim) -> Result<Recall, Fault> {
    let sql = "SELECT key, digest, status, body, version FROM idempotency WHERE scope = ?1 AND key = ?2 AND at > ?3";
    let values = params![claim.scope, claim.key, claim.at.ms() - Claim::LIFE_MS];
    let found = db
        .prepare_cached(sql)?
        .query_row(values, |row| Ok(read(row, claim)))
        .optional()?;
    found.unwrap_or(Ok(Recall::New))
}

fn read(row: &Row<'_>, claim: &Claim) -> Result<Recall, Fault> {
    if row.get::<_, [u8; 32]>(1)? != claim.digest {
        return Ok(Recall::Other);
    }
    let record = Record::new("idempotency key", row);
    let version = row.get::<_, Option<i64>>(4)?.map(i64::unsigned_abs);
    Ok(Recall::Answered(Answer {
        status: row.get(2)?,
        body: record.text(3)?.to_owned(),
        version,
    }))
}

/// Keeps an answer. A claim that has ended gives its key free.
pub(super) fn keep(db: &Connection, claim: &Claim, answer: &Answer) -> Result<(), Fault> {
    let ended = claim.at.ms() - Claim::LIFE_MS;
    let sql = "DELETE FROM idempotency WHERE rowid IN
        (SELECT rowid FROM idempotency WHERE at <= ?1 ORDER BY at LIMIT ?2)";
    db.prepare_cached(sql)?.execute(params![ended, CLEARED])?;
    let sql = "INSERT INTO idempotency (scope, key, digest, status, body, version, at)
        VALUES (:scope, :key, :digest, :status, :body, :version, :at)
        ON CONFLICT (scope, key) DO UPDATE SET digest = :digest, status = :status, body = :body, version = :version,
            at = :at WHERE at <= :ended";
    let written = db.prepare_cached(sql)?.execute(named_params! {
        ":scope": claim.scope,
        ":key": claim.key,
        ":digest": claim.digest,
        ":status": answer.status,
        ":body": answer.body,
        ":version": answer.version.map(signed).transpose()?,
        ":at": claim.at.ms(),
        ":ended": ended,
    })?;
    if written == 1 {
        Ok(())
    } else {
        Err(Fault::Claimed)
    }
}
