//! The access policy of order rooms over Socket.IO: the same rule as over REST, applied to the
//! current record.

use std::sync::Arc;

use metaia_realtime::{
    AccessDecision, AccessError, Identity, OrderAccess, OrderId, Role,
    planted_faults::{Fault, planted},
};

use crate::store::{Store, Whose};

/// Decides by the stored order: an admin may follow any order that exists, a customer their own, a
/// tailor or courier those assigned to them.
#[derive(Clone)]
pub struct StoreAccess {
    store: Arc<dyn Store>,
}

impl StoreAccess {
    /// Returns the policy on a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }
}

impl std::fmt::Debug for StoreAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreAccess").finish_non_exhaustive()
    }
}

impl OrderAccess for StoreAccess {
    /// Decides whether a user may join an order's room.
    ///
    /// A missing order takes the same path as one of another user, one query that finds nothing, so
    /// that the time of the answer does not tell them apart.
    async fn may_join(
        &self,
        who: &Identity,
        order: &OrderId,
    ) -> Result<AccessDecision, AccessError> {
        let whose = if planted(Fault::StrangerJoins) {
            Whose::All
        } else {
            Whose::visible_to(&who.user, who.role)
        };
        let order = self.store.order(&whose, order).await;
        let order = order.map_err(AccessError::new)?;
        if planted(Fault::OwnerRefused) && who.role == Role::Customer {
            return Ok(AccessDecision::Denied);
        }
        if planted(Fault::StrangerJoins) && order.is_some() {
            return Ok(AccessDecision::Allowed);
        }
        if order.is_some_and(|order| order.admits(&who.user, who.role)) {
            Ok(AccessDecision::Allowed)
        } else {
            Ok(AccessDecision::Denied)
        }
    }
}
