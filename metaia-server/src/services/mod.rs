//! Use cases: who may do what, decided on the present records, and done together with its events.
//!
//! Each way to change something is one [`Change`](crate::store::Change) for the store: services
//! decide, the store makes it true. A decision is made on what was read; where that has changed
//! meanwhile the store says so, and it is made again.

mod connections;
mod emit;
mod error;
mod notifications;
mod once;
mod orders;
mod payments;
mod tailors;
mod target;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod webhook;

use std::{fmt, sync::Arc};

use metaia_realtime::{Realtime, Role, UserId};

pub use connections::Overview;
pub use emit::Emit;
pub use error::ServiceError;
pub use once::Outcome;
pub use orders::StatusChange;
pub use payments::{PaymentSettings, Verification};
pub use tailors::TailorStatusChange;
pub use target::Target;
pub use webhook::Delivery;

use self::once::Running;
use crate::{model::Caller, store::Store};

/// How often a decision is made again because the record changed meanwhile.
const ATTEMPTS: usize = 8;

/// The use cases. A handle: `clone` is cheap and shares everything.
#[derive(Clone)]
pub struct Services(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    realtime: Realtime,
    payments: PaymentSettings,
    running: Running,
}

impl Services {
    /// The use cases over a store. What is logged goes through the store; only volatile events go
    /// to `realtime`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, realtime: Realtime, payments: PaymentSettings) -> Self {
        Self(Arc::new(Inner {
            store,
            realtime,
            payments,
            running: Running::default(),
        }))
    }

    fn store(&self) -> &dyn Store {
        &*self.0.store
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").finish_non_exhaustive()
    }
}

/// The user, where a user asks.
fn user_of(caller: &Caller) -> Result<(&UserId, Role), ServiceError> {
    match caller {
        Caller::User { user, role } => Ok((user, *role)),
        Caller::ApiKey => Err(ServiceError::Unauthenticated),
    }
}

/// The user, where somebody of this role asks.
fn only(wanted: Role, caller: &Caller) -> Result<&UserId, ServiceError> {
    let (user, role) = user_of(caller)?;
    if role == wanted {
        Ok(user)
    } else {
        Err(ServiceError::Forbidden)
    }
}

/// Admins and backends.
fn only_operators(caller: &Caller) -> Result<(), ServiceError> {
    if caller.is_admin() || *caller == Caller::ApiKey {
        Ok(())
    } else {
        Err(ServiceError::Forbidden)
    }
}
