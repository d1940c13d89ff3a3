//! The idempotency keys whose requests run in this process.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::error::ServiceError;
use crate::store::IdempotencyClaim;

/// The scope and the idempotency key of a claim.
type ClaimId = (String, String);

/// The claims whose requests run in this process. A handle.
#[derive(Debug, Clone, Default)]
pub(super) struct RunningClaims(Arc<Mutex<HashSet<ClaimId>>>);

/// The registration of a running request. Its drop ends it, also if the future of the request is
/// dropped.
pub(super) struct RunningClaim<'a> {
    running: &'a RunningClaims,
    id: ClaimId,
}

impl RunningClaims {
    /// Registers a request, unless one with the same claim runs already.
    pub(super) fn enter(&self, claim: &IdempotencyClaim) -> Result<RunningClaim<'_>, ServiceError> {
        let id = (claim.scope.clone(), claim.key.clone());
        let is_new = self.lock().insert(id.clone());
        if is_new {
            Ok(RunningClaim { running: self, id })
        } else {
            Err(ServiceError::InProgress)
        }
    }

    /// A poisoned set is used all the same: an insert or a removal cannot leave it half done.
    fn lock(&self) -> MutexGuard<'_, HashSet<ClaimId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RunningClaim<'_> {
    fn drop(&mut self) {
        self.running.lock().remove(&self.id);
    }
}
