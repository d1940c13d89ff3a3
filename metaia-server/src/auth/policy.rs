//! Who may follow which order over Socket.IO: the same rule as over REST, on the present record.

use std::sync::Arc;

use metaia_realtime::{AccessDecision, AccessError, Identity, OrderAccess, OrderId};

use crate::store::Store;

/// Decides by the stored order: admins any that exists, customers their own, tailors and couriers
/// the assigned ones.
#[derive(Clone)]
pub struct StoreAccess {
    store: Arc<dyn Store>,
}

impl StoreAccess {
    /// The policy over a store.
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
    /// A missing order takes the same path as somebody else's: one read, one comparison.
    async fn may_join(
        &self,
        who: &Identity,
        order: &OrderId,
    ) -> Result<AccessDecision, AccessError> {
        let order = self.store.order(order).await.map_err(AccessError::new)?;
        let admitted = order.is_some_and(|order| order.admits(&who.user, who.role));
        Ok(if admitted {
            AccessDecision::Allowed
        } else {
            AccessDecision::Denied
        })
    }
}
