//! Checks of the caller that need no record.

use metaia_realtime::{
    Role, UserId,
    planted_faults::{Fault, planted},
};

use super::error::ServiceError;
use crate::model::Caller;

/// Returns the calling user and their role. A backend is refused.
pub(super) fn user_of(caller: &Caller) -> Result<(&UserId, Role), ServiceError> {
    match caller {
        Caller::User { user, role } => Ok((user, *role)),
        Caller::ApiKey => Err(ServiceError::Unauthenticated),
    }
}

/// Returns the calling user if they have this role.
pub(super) fn only(wanted: Role, caller: &Caller) -> Result<&UserId, ServiceError> {
    let (user, role) = user_of(caller)?;
    if role == wanted {
        Ok(user)
    } else {
        Err(ServiceError::Forbidden)
    }
}

/// Refuses every caller but admins and backends.
pub(super) fn only_operators(caller: &Caller) -> Result<(), ServiceError> {
    if caller.is_admin() || *caller == Caller::ApiKey || planted(Fault::AnyoneEmits) {
        Ok(())
    } else {
        Err(ServiceError::Forbidden)
    }
}
