//! The handle on the use cases. Each file of this folder adds its own to it.

use std::{fmt, sync::Arc};

use metaia_realtime::{Position, Realtime, sqlite::WriteObstacle};

use super::{
    payments::{PaymentCounts, PaymentSettings},
    running::RunningClaims,
};
use crate::store::Store;

/// The number of times that a use case decides, if the records change before each commit.
pub(super) const MAX_ATTEMPTS: usize = 8;

/// The use cases. A handle: `clone` is cheap and shares everything.
#[derive(Clone)]
pub struct Services(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    realtime: Realtime,
    payments: PaymentSettings,
    payment_counts: PaymentCounts,
    running: RunningClaims,
}

impl Services {
    /// Returns the use cases on a store. Logged events go through the store; only volatile events
    /// go to `realtime`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, realtime: Realtime, payments: PaymentSettings) -> Self {
        Self(Arc::new(Inner {
            store,
            realtime,
            payments,
            payment_counts: PaymentCounts::default(),
            running: RunningClaims::default(),
        }))
    }

    pub(super) fn store(&self) -> &dyn Store {
        &*self.0.store
    }

    pub(super) fn realtime(&self) -> &Realtime {
        &self.0.realtime
    }

    pub(super) fn payment_settings(&self) -> &PaymentSettings {
        &self.0.payments
    }

    /// Returns what the monitoring counts of payments.
    #[must_use]
    pub fn payment_counts(&self) -> &PaymentCounts {
        &self.0.payment_counts
    }

    /// Returns the reason why the store cannot be written, if it knows one.
    #[must_use]
    pub fn write_obstacle(&self) -> Option<WriteObstacle> {
        self.store().obstacle()
    }

    /// Returns the position as of which records that are read from now on are current, if the log
    /// was read.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.realtime().position()
    }

    pub(super) fn running(&self) -> &RunningClaims {
        &self.0.running
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").finish_non_exhaustive()
    }
}
