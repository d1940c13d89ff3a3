//! Replies under their idempotency keys, as documents.

use mongodb::bson::{Binary, Bson, Document, doc, spec::BinarySubtype};

use super::{CLAIMS, Unreadable, date, value};
use crate::{
    model::Timestamp,
    store::{IdempotencyClaim, IdempotencyState, StoredReply},
};

/// Returns the id of a claim's document. It is unambiguous: neither part can contain a line break,
/// because one consists of ids and paths, and the other is a header.
pub(in super::super) fn claim_id(claim: &IdempotencyClaim) -> String {
    format!("{}\n{}", claim.scope, claim.key)
}

/// Returns the document of a reply.
pub(in super::super) fn claim_document(claim: &IdempotencyClaim, reply: &StoredReply) -> Document {
    let digest = Binary {
        subtype: BinarySubtype::Generic,
        bytes: claim.digest.to_vec(),
    };
    let version = reply.version;
    let version = version.and_then(|version| i64::try_from(version).ok());
    doc! {
        "_id": claim_id(claim),
        "digest": digest,
        "status": i32::from(reply.status),
        "body": &reply.body,
        "version": version,
        "at": date(claim.at),
    }
}

/// Returns the time at which a key was claimed.
pub(in super::super) fn claimed_at_in(document: &Document) -> Option<Timestamp> {
    value::time(document, "at")
}

/// Reads the state of a claim out of the document of its key.
pub(in super::super) fn idempotency_state_in(
    document: &Document,
    claim: &IdempotencyClaim,
) -> Result<IdempotencyState, Unreadable> {
    let unreadable = || Unreadable::new(CLAIMS, document, "it is no stored reply");
    let at = claimed_at_in(document).ok_or_else(unreadable)?;
    if claim.is_after_expiry_of(at) {
        return Ok(IdempotencyState::New);
    }
    let digest = document
        .get_binary_generic("digest")
        .map_err(|_| unreadable())?;
    if *digest != claim.digest {
        return Ok(IdempotencyState::OtherRequest);
    }
    let status = document.get("status").and_then(value::integer);
    let status = status.and_then(|status| status.try_into().ok());
    let version = document
        .get("version")
        .and_then(Bson::as_i64)
        .map(i64::unsigned_abs);
    let body = document
        .get_str("body")
        .map_err(|_| unreadable())?
        .to_owned();
    Ok(IdempotencyState::Answered(StoredReply {
        status: status.ok_or_else(unreadable)?,
        body,
        version,
    }))
}
