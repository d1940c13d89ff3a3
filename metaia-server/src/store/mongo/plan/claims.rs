//! Claims on idempotency keys, and the replies under them.

use metaia_realtime::mongo::RecordWrite;
use mongodb::bson::doc;

use super::{
    super::document::{CLAIMS, claim_document, claim_id, date},
    facts::Facts,
    wanted::WantedFacts,
};
use crate::{
    model::Timestamp,
    store::{CommitError, IdempotencyClaim, Keyed, StoredReply},
};

/// Adds the fact that a claim is decided by, if there is one.
pub(super) fn want<T>(wanted: &mut WantedFacts, keyed: Option<&Keyed<T>>) {
    wanted
        .claims
        .extend(keyed.map(|keyed| claim_id(&keyed.claim)));
}

/// Returns the write that stores the reply to a result under its key, if there is one.
pub(super) fn write<T>(
    facts: &mut Facts,
    keyed: Option<&Keyed<T>>,
    result: &T,
) -> Result<Option<RecordWrite>, CommitError> {
    let Some(keyed) = keyed else {
        return Ok(None);
    };
    let (claim, reply) = keyed.reply_to(result);
    let write = decide_claim(facts, claim)?;
    Ok(Some(write.of_reply(claim, &reply)))
}

/// The way in which the reply to a claim is stored.
#[derive(Debug, Clone, Copy)]
pub(super) enum ClaimWrite {
    /// As a new document.
    Insert,
    /// In place of the claim of this time, which has expired.
    Replace(Timestamp),
}

/// Decides how the reply to a claim is stored, if the key is free.
pub(super) fn decide_claim(
    facts: &mut Facts,
    claim: &IdempotencyClaim,
) -> Result<ClaimWrite, CommitError> {
    let id = claim_id(claim);
    let write = match facts.claims.get(&id) {
        None => ClaimWrite::Insert,
        Some(at) if claim.is_after_expiry_of(*at) => ClaimWrite::Replace(*at),
        Some(_) => return Err(CommitError::Claimed),
    };
    facts.claims.set(id, claim.at);
    Ok(write)
}

impl ClaimWrite {
    /// Returns the write of this reply.
    pub(super) fn of_reply(self, claim: &IdempotencyClaim, reply: &StoredReply) -> RecordWrite {
        let document = claim_document(claim, reply);
        match self {
            Self::Insert => RecordWrite::Insert {
                collection: CLAIMS,
                document,
            },
            Self::Replace(at) => RecordWrite::Update {
                collection: CLAIMS,
                filter: doc! { "_id": claim_id(claim), "at": date(at) },
                update: document,
            },
        }
    }
}
