//! Payments: opened at the provider, confirmed by its checkout or by its signed events, listed for
//! admins.
//!
//! Checkouts and events become a [`PaymentEvent`](crate::model::PaymentEvent) each, and one
//! decision acts on both: `settle`. What it flags is logged as a warning and counted.

mod counts;
mod delivery;
mod list;
mod open;
mod payment_id;
mod provider_event;
mod provider_members;
mod settings;
mod settle;
mod verify;

pub use counts::PaymentCounts;
pub use delivery::{Delivery, DeliveryResult};
pub use open::OpenPaymentReply;
pub use settings::PaymentSettings;
pub use verify::Verification;
