//! Use cases: they decide on the current records what a caller may do, and have it done together
//! with its events.
//!
//! Each way to change something is one [`Change`](crate::store::Change) for the store: services
//! decide, and the store carries the change out. A decision is made on records that were read
//! before; if they have changed in the meantime, the store refuses the change and the service
//! decides again.

mod connections;
mod emit;
mod error;
mod handle;
mod idempotency;
mod notifications;
mod orders;
mod payment_settings;
mod payments;
mod permissions;
mod running;
mod tailors;
mod target;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod webhook;

pub use connections::Overview;
pub use emit::Emit;
pub use error::ServiceError;
pub use handle::Services;
pub use idempotency::IdempotentReply;
pub use orders::StatusChange;
pub use payment_settings::PaymentSettings;
pub use payments::Verification;
pub use tailors::TailorStatusChange;
pub use target::Target;
pub use webhook::Delivery;
