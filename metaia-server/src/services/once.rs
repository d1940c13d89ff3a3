//! Idempotency: one key, one request, one answer.
//!
//! The answer is kept in the transaction of the change, so that a retry finds it after any crash.
//! Two requests at once with one key: the second is refused while the first runs here, and where it
//! ran elsewhere or nobody waited for it any more, the store refuses the second change and the
//! first answer is given.

use std::{
    collections::HashSet,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use serde::Serialize;

use super::{ServiceError, Services};
use crate::{
    model::Caller,
    store::{Answer, Claim, Recall},
};

/// What is answered, and whether it was answered before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What is answered.
    pub answer: Answer,
    /// Whether this is the first answer given again.
    pub replayed: bool,
}

impl From<Answer> for Outcome {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            replayed: false,
        }
    }
}

/// The claims that are being worked on in this process.
#[derive(Debug, Clone, Default)]
pub(super) struct Running(Arc<Mutex<HashSet<(String, String)>>>);

/// Ends when the request does, also where its future is dropped.
struct Place<'a> {
    running: &'a Running,
    claim: (String, String),
}

impl Running {
    fn enter(&self, claim: &Claim) -> Result<Place<'_>, ServiceError> {
        let claim = (claim.scope.clone(), claim.key.clone());
        if self.set().insert(claim.clone()) {
            Ok(Place {
                running: self,
                claim,
            })
        } else {
            Err(ServiceError::InProgress)
        }
    }

    fn set(&self) -> std::sync::MutexGuard<'_, HashSet<(String, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.running.set().remove(&self.claim);
    }
}

impl Services {
    /// Does `work` once per key; without a key, always. `work` hands the claim to the store with
    /// its change.
    pub(super) async fn once<W, F>(
        &self,
        caller: &Caller,
        route: &'static str,
        key: Option<&str>,
        request: &impl Serialize,
        work: W,
    ) -> Result<Outcome, ServiceError>
    where
        W: FnOnce(Option<Claim>) -> F,
        F: Future<Output = Result<Answer, ServiceError>>,
    {
        let Some(key) = key else {
            return work(None).await.map(Outcome::from);
        };
        let claim = Claim::new(caller, route, key, request);
        let _place = self.0.running.enter(&claim)?;
        if let Some(outcome) = self.recalled(&claim).await? {
            return Ok(outcome);
        }
        match work(Some(claim.clone())).await {
            Err(ServiceError::InProgress) => {
                self.recalled(&claim).await?.ok_or(ServiceError::InProgress)
            }
            done => done.map(Outcome::from),
        }
    }

    async fn recalled(&self, claim: &Claim) -> Result<Option<Outcome>, ServiceError> {
        match self.store().recall(claim).await? {
            Recall::New => Ok(None),
            Recall::Answered(answer) => Ok(Some(Outcome {
                answer,
                replayed: true,
            })),
            Recall::Other => Err(ServiceError::KeyReused),
        }
    }
}
