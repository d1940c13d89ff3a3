//! Use cases. A service reads the current records, decides what the caller may do, and gives the
//! change and its events to the store.
//!
//! Each change is one [`Change`](crate::store::Change): its records, its events, and the conditions
//! under which the store may write them. If the records have changed since the service read them,
//! the store refuses the change, and the service reads and decides again.
//!
//! The caller of a service decides what is replied: it gives a function `reply`, which makes the
//! [`StoredReply`](crate::store::StoredReply) from the result. If the request has an idempotency
//! key, the store keeps that reply, or a reference to its record, in the same transaction.

mod connections;
mod emit;
mod error;
mod handle;
mod idempotency;
mod notifications;
mod order_changes;
mod orders;
mod payments;
mod permissions;
mod reference;
mod revoke;
mod running;
mod tailors;
mod target;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use connections::Overview;
pub use emit::{Emit, EmitReply};
pub use error::ServiceError;
pub use handle::Services;
pub use idempotency::IdempotentReply;
pub use order_changes::{OrderChange, StatusChange};
pub use payments::{
    Delivery, DeliveryResult, OpenPaymentReply, PaymentCounts, PaymentSettings, Verification,
};
pub use revoke::{Revoke, RevokeReply};
pub use tailors::TailorStatusChange;
pub use target::Target;
