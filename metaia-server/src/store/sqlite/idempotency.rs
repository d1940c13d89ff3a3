//! Replies under their idempotency keys, in SQLite.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use super::{fault::Fault, orders::signed, row::Record};
use crate::store::{IdempotencyClaim, IdempotencyState, StoredReply};

/// The number of expired claims that each new claim deletes: more than one, so that their number
/// falls.
const DELETED_PER_CLAIM: u32 = 8;

/// Returns whether the idempotency key of a claim was used, with the stored reply.
pub(super) fn idempotency_state(
    db: &Connection,
    claim: &IdempotencyClaim,
) -> Result<IdempotencyState, Fault> {
    let sql = "SELECT key, digest, status, body, version FROM idempotency
        WHERE scope = ?1 AND key = ?2 AND at > ?3";
    let values = params![
        claim.scope,
        claim.key,
        claim.at.ms() - IdempotencyClaim::LIFE_MS
    ];
    let found = db
        .prepare_cached(sql)?
        .query_row(values, |row| Ok(read(row, claim)))
        .optional()?;
    match found {
        Some(state) => state,
        None => Ok(IdempotencyState::New),
    }
}

fn read(row: &Row<'_>, claim: &IdempotencyClaim) -> Result<IdempotencyState, Fault> {
    if row.get::<_, [u8; 32]>(1)? != claim.digest {
        return Ok(IdempotencyState::OtherRequest);
    }
    let record = Record::new("idempotency key", row);
    let version = row.get::<_, Option<i64>>(4)?.map(i64::unsigned_abs);
    Ok(IdempotencyState::Answered(StoredReply {
        status: row.get(2)?,
        body: record.text(3)?.to_owned(),
        version,
    }))
}

/// Stores a reply. An expired claim on the same key is replaced.
pub(super) fn insert(
    db: &Connection,
    claim: &IdempotencyClaim,
    reply: &StoredReply,
) -> Result<(), Fault> {
    let expired = claim.at.ms() - IdempotencyClaim::LIFE_MS;
    let sql = "DELETE FROM idempotency WHERE rowid IN
        (SELECT rowid FROM idempotency WHERE at <= ?1 ORDER BY at LIMIT ?2)";
    db.prepare_cached(sql)?
        .execute(params![expired, DELETED_PER_CLAIM])?;
    let sql = "INSERT INTO idempotency (scope, key, digest, status, body, version, at)
        VALUES (:scope, :key, :digest, :status, :body, :version, :at)
        ON CONFLICT (scope, key) DO UPDATE SET digest = :digest, status = :status,
            body = :body, version = :version, at = :at
        WHERE at <= :expired";
    let written = db.prepare_cached(sql)?.execute(named_params! {
        ":scope": claim.scope,
        ":key": claim.key,
        ":digest": claim.digest,
        ":status": reply.status,
        ":body": reply.body,
        ":version": reply.version.map(signed).transpose()?,
        ":at": claim.at.ms(),
        ":expired": expired,
    })?;
    if written == 1 {
        Ok(())
    } else {
        Err(Fault::Claimed)
    }
}
