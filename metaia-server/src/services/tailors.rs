//! The status that a tailor sets for themselves.

use metaia_realtime::{Role, event::TailorAvailability};
use serde::{Deserialize, Serialize};

use super::{error::ServiceError, handle::Services, permissions::only};
use crate::model::{Caller, TailorStatus, Timestamp};

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
    /// tailor's open orders. Returns it.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn set_tailor_status(
        &self,
        caller: &Caller,
        TailorStatusChange { status }: TailorStatusChange,
    ) -> Result<TailorStatus, ServiceError> {
        let tailor = only(Role::Tailor, caller)?.clone();
        let status = TailorStatus {
            tailor,
            status,
            at: Timestamp::now(),
        };
        self.store().set_tailor_status(status.clone()).await?;
        Ok(status)
    }
}
