//! The records of the marketplace and the rules on them: pure values and decisions, without store
//! or network.
//!
//! - [`Order`], [`OrderStatus`], and [`step`], which decides who may set which status;
//!   [`Assignment`] of a tailor or courier.
//! - [`Notification`], and who is notified of what.
//! - [`Payment`], its [`Attempt`]s, and [`Payment::settled`], which decides what an event of the
//!   provider makes of it.
//! - [`Caller`], [`Cursor`], [`Timestamp`], ids, and [`FieldError`] with the JSON pointer of its
//!   place.

mod assignment;
mod caller;
mod clock;
mod field;
mod id;
mod item;
mod new_order;
mod notification;
mod objects;
mod order;
mod page;
mod payment;
mod precondition;
mod status;
mod tailor;
#[cfg(test)]
pub(crate) mod testing;
mod unix_seconds;
pub(crate) mod whole;

pub use assignment::{Assigned, Assignment, Seat};
pub use caller::Caller;
pub use clock::Timestamp;
pub use field::{FieldError, Fields};
pub use id::{InvalidObjectId, NotificationId, PaymentId, new_order_id};
pub use item::{Item, Measure};
pub use new_order::{NewItem, NewOrder};
pub use notification::{NewNotice, Notice, Notification};
pub use order::{Order, OrderNumber};
pub use page::{Cursor, InvalidCursor, Page, PageRequest};
pub use payment::{
    Attempt, AttemptStatus, MAX_LISTED_ATTEMPTS, Money, OrderSituation, Payment, PaymentEvent,
    Settlement,
};
pub use precondition::Precondition;
pub use status::{OrderStatus, TransitionRefusal, UnknownStatus, step};
pub use tailor::TailorStatus;
pub use unix_seconds::UnixSeconds;
