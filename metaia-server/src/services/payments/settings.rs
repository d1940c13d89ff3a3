//! The payment provider, and the secrets that the server shares with it.

use std::{fmt, sync::Arc};

use crate::{auth::secrets::Secret, payment::PaymentProvider};

/// The payment provider, and the secrets that the server shares with it.
#[derive(Clone)]
pub struct PaymentSettings {
    /// The provider that opens payments.
    pub provider: Arc<dyn PaymentProvider>,
    /// The public half of the key. The apps' checkout needs it.
    pub key_id: String,
    /// The secret that signs checkouts.
    pub key_secret: Secret,
    /// The secret that signs webhooks. `None`: every webhook is refused.
    pub webhook_secret: Option<Secret>,
}

impl fmt::Debug for PaymentSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaymentSettings")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
