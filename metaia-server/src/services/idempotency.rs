//! Idempotency: one key, one request, one reply.
//!
//! The reply is stored in the transaction of the change, so that a retry finds it after any crash.
//! Of two simultaneous requests with one key, the second is refused while the first runs in this
//! process. If the first ran in another process, or its future was dropped, the store refuses the
//! second change and the second request gets the first reply.

use std::future::Future;

use serde::Serialize;

use super::{error::ServiceError, handle::Services};
use crate::{
    model::Caller,
    store::{IdempotencyClaim, IdempotencyState, StoredReply},
};

/// A reply, and whether it repeats an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentReply {
    /// The reply.
    pub reply: StoredReply,
    /// True if this is the reply to an earlier request with the same key.
    pub replayed: bool,
}

impl IdempotentReply {
    const fn first(reply: StoredReply) -> Self {
        Self {
            reply,
            replayed: false,
        }
    }
}

impl Services {
    /// Runs `work` once per idempotency key, or always if there is no key. `work` passes the claim
    /// to the store with its change.
    pub(super) async fn idempotently<W, F>(
        &self,
        caller: &Caller,
        route: &'static str,
        key: Option<&str>,
        request: &impl Serialize,
        work: W,
    ) -> Result<IdempotentReply, ServiceError>
    where
        W: FnOnce(Option<IdempotencyClaim>) -> F,
        F: Future<Output = Result<StoredReply, ServiceError>>,
    {
        let Some(key) = key else {
            return work(None).await.map(IdempotentReply::first);
        };
        let claim = IdempotencyClaim::new(caller, route, key, request);
        let _running = self.running().enter(&claim)?;
        if let Some(reply) = self.stored_reply(&claim).await? {
            return Ok(reply);
        }
        match work(Some(claim.clone())).await {
            // Another process committed a request with this key after the check above.
            Err(ServiceError::InProgress) => self
                .stored_reply(&claim)
                .await?
                .ok_or(ServiceError::InProgress),
            done => done.map(IdempotentReply::first),
        }
    }

    /// Returns the reply that is stored under the key of a claim, if there is one.
    async fn stored_reply(
        &self,
        claim: &IdempotencyClaim,
    ) -> Result<Option<IdempotentReply>, ServiceError> {
        match self.store().idempotency_state(claim).await? {
            IdempotencyState::New => Ok(None),
            IdempotencyState::Answered(reply) => Ok(Some(IdempotentReply {
                reply,
                replayed: true,
            })),
            IdempotencyState::OtherRequest => Err(ServiceError::KeyReused),
        }
    }
}
