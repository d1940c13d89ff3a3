//! Answers under their idempotency keys, as documents.

use mongodb::bson::{Binary, Bson, Document, doc, spec::BinarySubtype};

use super::{CLAIMS, Unreadable, date, value};
use crate::{
    model::Timestamp,
    store::{Answer, Claim, Recall},
};

/// The key of a claim. Neither part can have a line break: one is of ids and paths, the other of a
/// header.
pub(in super::super) fn claim_id(claim: &Claim) -> String {
    format!("{}\n{}", claim.scope, claim.key)
}

/// The document of an answer.
pub(in super::super) fn claim_of(claim: &Claim, answer: &Answer) -> Document {
    let digest = Binary {
        subtype: BinarySubtype::Generic,
        bytes: claim.digest.to_vec(),
    };
    let version = answer
        .version
        .and_then(|version| i64::try_from(version).ok());
    doc! {
        "_id": claim_id(claim),
        "digest": digest,
        "status": i32::from(answer.status),
        "body": &answer.body,
        "version": version,
        "at": date(claim.at),
    }
}

/// When a key was claimed.
pub(in super::super) fn claimed_at(document: &Document) -> Option<Timestamp> {
    value::time(document, "at")
}

/// What is known of a claim, out of the document of its key.
pub(in super::super) fn recalled(document: &Document, claim: &Claim) -> Result<Recall, Unreadable> {
    let unreadable = || Unreadable::new(CLAIMS, document, "it is no answer");
    let at = claimed_at(document).ok_or_else(unreadable)?;
    if claim.outlived(at) {
        return Ok(Recall::New);
    }
    let digest = document
        .get_binary_generic("digest")
        .map_err(|_| unreadable())?;
    if *digest != claim.digest {
        return Ok(Recall::Other);
    }
    let status = document
        .get("status")
        .and_then(value::integer)
        .and_then(|status| status.try_into().ok());
    let version = document
        .get("version")
        .and_then(Bson::as_i64)
        .map(i64::unsigned_abs);
    let body = document
        .get_str("body")
        .map_err(|_| unreadable())?
        .to_owned();
    Ok(Recall::Answered(Answer {
        status: status.ok_or_else(unreadable)?,
        body,
        version,
    }))
}
