//! Idempotency: one key, one request, one reply.
//!
//! The reply, or a reference to its record, is stored in the transaction of the change, so that a
//! retry finds it after any crash.
//! Of two simultaneous requests with one key, the second is refused while the first runs in this
//! process. If the first ran in another process, or its future was dropped, it may commit while the
//! second runs. Then the store refuses the second change, or the second request fails on records
//! that the first has changed. Either way it gets the first reply.

use std::future::Future;

use metaia_realtime::planted_faults::{Fault, planted};
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

/// The result of a request under an idempotency key, or without one.
pub(super) enum Once<T> {
    /// The request was carried out now.
    First(T),
    /// It was carried out before, and this was stored.
    Before(StoredReply),
}

impl IdempotentReply {
    pub(super) const fn first(reply: StoredReply) -> Self {
        Self {
            reply,
            replayed: false,
        }
    }

    pub(super) const fn again(reply: StoredReply) -> Self {
        Self {
            reply,
            replayed: true,
        }
    }
}

impl Services {
    /// Runs `work` once per idempotency key, or always if there is no key. `work` passes the claim
    /// to the store with its change, which stores the reply.
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
        let done = self.once(caller, route, key, request, work).await?;
        Ok(match done {
            Once::First(reply) => IdempotentReply::first(reply),
            Once::Before(reply) => IdempotentReply::again(reply),
        })
    }

    /// Runs `work` once per idempotency key, or always if there is no key. Its result is not what
    /// `work` stores under the claim.
    pub(super) async fn once<T, W, F>(
        &self,
        caller: &Caller,
        route: &'static str,
        key: Option<&str>,
        request: &impl Serialize,
        work: W,
    ) -> Result<Once<T>, ServiceError>
    where
        W: FnOnce(Option<IdempotencyClaim>) -> F,
        F: Future<Output = Result<T, ServiceError>>,
    {
        let Some(key) = key.filter(|_| !planted(Fault::IdempotencyIgnored)) else {
            return work(None).await.map(Once::First);
        };
        let claim = IdempotencyClaim::new(caller, route, key, request);
        let _running = self.running().enter(&claim)?;
        if let Some(reply) = self.stored_reply(&claim).await? {
            return Ok(Once::Before(reply));
        }
        match work(Some(claim.clone())).await {
            Ok(done) => Ok(Once::First(done)),
            Err(error) => self.first_reply_or(error, &claim).await.map(Once::Before),
        }
    }

    /// Returns the reply that another process may have stored since the last look, otherwise the
    /// error. That process may be the cause of the error: it changed the records.
    async fn first_reply_or(
        &self,
        error: ServiceError,
        claim: &IdempotencyClaim,
    ) -> Result<StoredReply, ServiceError> {
        match self.stored_reply(claim).await {
            Ok(reply) => reply.ok_or(error),
            // The first failure of the store says more: whether the outcome is unknown.
            Err(ServiceError::Store(_)) if matches!(error, ServiceError::Store(_)) => Err(error),
            Err(failed) => Err(failed),
        }
    }

    /// Returns the reply that is stored under the key of a claim, if there is one.
    async fn stored_reply(
        &self,
        claim: &IdempotencyClaim,
    ) -> Result<Option<StoredReply>, ServiceError> {
        match self.store().idempotency_state(claim).await? {
            IdempotencyState::New => Ok(None),
            IdempotencyState::Answered(reply) => Ok(Some(reply)),
            IdempotencyState::OtherRequest => Err(ServiceError::KeyReused),
        }
    }
}
