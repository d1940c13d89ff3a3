//! The records, and the promise that a change and its events are one.
//!
//! [`Store`] is what services see. Whatever changes state goes through [`Store::commit`] (or one of
//! the two methods whose event depends on what they find), which takes the events to publish: there
//! is no way to change first and emit afterwards. [`SqliteStore`] is the embedded one,
//! [`MongoStore`] that of many nodes.

mod change;
#[cfg(test)]
pub(crate) mod contract;
mod error;
mod events;
mod mongo;
mod sqlite;
#[cfg(test)]
pub(crate) mod testing;

use futures_util::future::BoxFuture;
use metaia_realtime::{OrderId, UserId};

pub use change::{Answer, Change, Claim, Recall, Reply, Write};
pub use error::{CommitError, StoreError};
pub use mongo::MongoStore;
pub use sqlite::SqliteStore;

use crate::model::{
    Notification, NotificationId, Order, OrderStatus, Page, PageRequest, Payment, TailorStatus,
    Timestamp,
};

/// Which orders are asked for.
#[derive(Debug, Clone)]
pub struct OrderQuery {
    /// Whose.
    pub whose: Whose,
    /// Only those with this status.
    pub status: Option<OrderStatus>,
    /// Which page.
    pub page: PageRequest,
}

/// Whose orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Everybody's.
    All,
    /// A customer's own.
    Customer(UserId),
    /// Those that a tailor is assigned to.
    Tailor(UserId),
    /// Those that a courier is assigned to.
    Courier(UserId),
}

/// Which notifications of a user are asked for.
#[derive(Debug, Clone)]
pub struct NotificationQuery {
    /// Whose.
    pub user: UserId,
    /// Only those not read yet.
    pub unread: bool,
    /// Only those made then or later.
    pub since: Option<Timestamp>,
    /// Which page.
    pub page: PageRequest,
}

/// How a payment is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentKey {
    /// The one of this order that is open or completed: there is at most one.
    Standing(OrderId),
    /// By the provider's id of the order.
    Provider(String),
}

/// The records of the marketplace.
///
/// Contract, with the failure that each clause prevents:
/// - A change and its events are one: after any crash both are there, or neither. Else somebody is
///   never told.
/// - An answer of success means that both are on stable storage: else a power cut takes back what
///   was promised.
/// - Events are published in the order of the commits, and those of one change in the order given:
///   else a client sees an older state after a newer one, or a removed tailor sees what came after
///   their removal.
/// - A read sees every change that was answered before it began: else the policy lets a replaced
///   tailor in.
/// - Only typed values reach a query, never a client's JSON: else `{"$ne": null}` matches
///   everything.
/// - A record that cannot be read as what it should be is an error, never skipped and never a wrong
///   record; except that lists over collections that others write, too, leave out what is none, and
///   say so in the log.
///
/// # Cancel safety
/// Dropping the future of a change leaves the outcome open. Reads can be dropped.
pub trait Store: Send + Sync + 'static {
    /// An order.
    fn order<'a>(&'a self, id: &'a OrderId) -> BoxFuture<'a, Result<Option<Order>, StoreError>>;

    /// Orders, newest first.
    fn orders(&self, query: OrderQuery) -> BoxFuture<'_, Result<Page<Order>, StoreError>>;

    /// Notifications of a user, newest first, and how many of all are unread, in one view.
    fn notifications(
        &self,
        query: NotificationQuery,
    ) -> BoxFuture<'_, Result<(Page<Notification>, u64), StoreError>>;

    /// A payment.
    fn payment(&self, key: PaymentKey) -> BoxFuture<'_, Result<Option<Payment>, StoreError>>;

    /// What was answered under an idempotency key.
    fn recall<'a>(&'a self, claim: &'a Claim) -> BoxFuture<'a, Result<Recall, StoreError>>;

    /// Does everything that a change says, or nothing, and answers what the change says is to be
    /// answered.
    fn commit(&self, change: Change) -> BoxFuture<'_, Result<Answer, CommitError>>;

    /// Marks a user's own notification as read and answers it with the number of unread ones;
    /// `None` where the user has no such notification. Where it was unread, `notification_read` is
    /// published with the change.
    fn read_notification<'a>(
        &'a self,
        user: &'a UserId,
        id: NotificationId,
    ) -> BoxFuture<'a, Result<Option<(Notification, u64)>, StoreError>>;

    /// Marks all of a user's notifications as read and answers how many were unread. Where there
    /// were any, `notification_read` is published with the change.
    fn read_all<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// Keeps a tailor's status and publishes `tailor_status_update` to the admins and the rooms of
    /// the orders that are open for that tailor at this moment.
    fn set_tailor_status(&self, status: TailorStatus) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Whether the store takes changes, and what whoever operates it should know all the same.
    fn ping(&self) -> BoxFuture<'_, Result<Option<&'static str>, StoreError>>;

    /// What it is called where it does not answer.
    fn name(&self) -> &'static str;

    /// Does what is queued and closes. Later calls are answered [`StoreError::Unavailable`].
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// A value's name in JSON, as enums are stored and found by.
fn name_of(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(_) | Err(_) => String::new(),
    }
}
