//! The status that a tailor sets for themselves.

use metaia_realtime::{Role, event::TailorAvailability};
use serde::{Deserialize, Serialize};

use super::{
    error::ServiceError,
    handle::Services,
    idempotency::{IdempotentReply, Once},
    permissions::only,
    reference,
};
use crate::{
    model::{Caller, TailorStatus, Timestamp},
    store::{IdempotencyClaim, Keyed, StoredReply},
};

/// The body of `PUT /api/tailors/me/status`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TailorStatusChange {
    /// `available`, `busy` or `offline`.
    #[schema(value_type = String)]
    pub status: TailorAvailability,
}

impl Services {
    /// Stores the calling tailor's status, and publishes it to the admins and to the rooms of the
    /// tailor's open orders. `reply` makes the reply from it.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn set_tailor_status(
        &self,
        caller: &Caller,
        key: Option<&str>,
        change: TailorStatusChange,
        reply: fn(&TailorStatus) -> StoredReply,
    ) -> Result<IdempotentReply, ServiceError> {
        let tailor = only(Role::Tailor, caller)?;
        let work = |claim: Option<IdempotencyClaim>| async move {
            let status = TailorStatus {
                tailor: tailor.clone(),
                status: change.status,
                at: Timestamp::now(),
            };
            let reply = reference::stored_tailor_status;
            let keyed = claim.map(|claim| Keyed { claim, reply });
            self.store()
                .set_tailor_status(status.clone(), keyed)
                .await?;
            Ok(status)
        };
        let route = "PUT /api/tailors/me/status";
        Ok(match self.once(caller, route, key, &change, work).await? {
            Once::First(status) => IdempotentReply::first(reply(&status)),
            Once::Before(stored) => IdempotentReply::again(reply(&reference::read(&stored)?)),
        })
    }
}
