//! The idempotency keys whose requests run in this process.

use std::{collections::HashSet, sync::Arc};

use parking_lot::Mutex;

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
        let is_new = self.0.lock().insert(id.clone());
        if is_new {
            Ok(RunningClaim { running: self, id })
        } else {
            Err(ServiceError::InProgress)
        }
    }
}

impl Drop for RunningClaim<'_> {
    fn drop(&mut self) {
        self.running.0.lock().remove(&self.id);
    }
}
