//! The records. Each change of a record is stored together with its events.
//!
//! Services use [`Store`]. [`Store::commit`] takes a change and the events to publish: there is no
//! way to change a record first and publish afterwards. Three methods make a change whose event
//! depends on the stored records, and build the event themselves: [`Store::read_notification`],
//! [`Store::read_all`] and [`Store::set_tailor_status`]. [`SqliteStore`] is the embedded store,
//! [`MongoStore`] the store of several nodes.

mod change;
#[cfg(test)]
pub(crate) mod contract;
mod error;
mod events;
mod mongo;
mod sqlite;
#[cfg(test)]
pub(crate) mod testing;

use std::future::ready;

use futures_util::future::BoxFuture;
use metaia_realtime::{OrderId, Role, UserId, event::PaymentStatus, sqlite::WriteObstacle};

pub use change::{
    Change, IdempotencyClaim, IdempotencyState, Keyed, MakeReply, StoredReply, Write,
};
pub use error::{CommitError, StoreError};
pub use mongo::MongoStore;
pub use sqlite::SqliteStore;

use crate::model::{
    Notification, NotificationId, Order, OrderStatus, Page, PageRequest, Payment, TailorStatus,
    Timestamp,
};

/// A query for orders.
#[derive(Debug, Clone)]
pub struct OrderQuery {
    /// The users to whom they belong.
    pub whose: Whose,
    /// Only orders with this status.
    pub status: Option<OrderStatus>,
    /// The requested page.
    pub page: PageRequest,
}

/// The orders that a query is about, by their users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// All orders.
    All,
    /// The orders of a customer.
    Customer(UserId),
    /// The orders that a tailor is assigned to.
    Tailor(UserId),
    /// The orders that a courier is assigned to.
    Courier(UserId),
}

impl Whose {
    /// Returns the orders that a user of this role may see.
    #[must_use]
    pub fn visible_to(user: &UserId, role: Role) -> Self {
        match role {
            Role::Admin => Self::All,
            Role::Customer => Self::Customer(user.clone()),
            Role::Tailor => Self::Tailor(user.clone()),
            Role::Delivery => Self::Courier(user.clone()),
        }
    }

    /// Returns the user, unless the query is about all orders.
    const fn user(&self) -> Option<&UserId> {
        match self {
            Self::All => None,
            Self::Customer(user) | Self::Tailor(user) | Self::Courier(user) => Some(user),
        }
    }
}

/// A query for the notifications of a user.
#[derive(Debug, Clone)]
pub struct NotificationQuery {
    /// The user.
    pub user: UserId,
    /// Only unread notifications.
    pub unread: bool,
    /// Only notifications of this time or later.
    pub since: Option<Timestamp>,
    /// The requested page.
    pub page: PageRequest,
}

/// A query for payments.
#[derive(Debug, Clone, Copy)]
pub struct PaymentQuery {
    /// Only payments with a flag.
    pub flagged: bool,
    /// The requested page.
    pub page: PageRequest,
}

/// The payments of an order that stand, that is, are open or completed. There is at most one,
/// unless other programs have left more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StandingPayments {
    /// Those that can be read, the completed ones first.
    pub payments: Vec<Payment>,
    /// The statuses of those that cannot be read. The store has logged them.
    pub unreadable: Vec<PaymentStatus>,
}

/// The number of standing payments that are read. An order has one, unless other programs have left
/// more.
const MAX_STANDING: u16 = 100;

/// The orders in whose rooms a tailor's status is published: the most recently changed ones. Any
/// customer may order from a tailor, so that a tailor's orders have no bound.
const MAX_STATUS_ROOMS: u16 = 200;

/// The records of the marketplace.
///
/// Contract, with the failure that each clause prevents:
/// - A change and its events are atomic: after any crash both are stored, or neither. Otherwise a
///   client is never told of a change.
/// - A success means that both are on stable storage. Otherwise a power cut undoes a change that
///   was acknowledged.
/// - Events are published in the order of the commits, and the events of one change in the given
///   order. Otherwise a client sees an older state after a newer one, or a removed tailor sees
///   events after their removal.
/// - A read sees every change that was acknowledged before the read began. Otherwise the access
///   policy admits a replaced tailor.
/// - A record of another user is not found, like a missing one: one query compares the id and the
///   user, before it reads anything else of the record. Otherwise the time of the answer, or an
///   error about a record that cannot be parsed, tells that it exists.
/// - Only typed values reach a query, never a client's JSON. Otherwise `{"$ne": null}` matches
///   every record.
/// - A record that cannot be parsed is an error: it is never skipped, and never returned as another
///   record. Two exceptions: lists over collections that other programs write, too, leave out
///   documents that are no records, and log that; [`StandingPayments`] name them.
///
/// # Cancel safety
/// Not cancel safe for changes: if the future is dropped, the change may be stored or not. Reads
/// can be dropped.
pub trait Store: Send + Sync + 'static {
    /// Returns an order, if it is one of `whose`.
    fn order<'a>(
        &'a self,
        whose: &'a Whose,
        id: &'a OrderId,
    ) -> BoxFuture<'a, Result<Option<Order>, StoreError>>;

    /// Returns an order as the last acknowledged change has left it, if it is one of `whose` then.
    /// [`order`](Self::order) may be behind for a moment, after MongoDB has elected another
    /// primary: that is no reason to refuse a request. This takes longer, so ask it before a
    /// refusal.
    fn latest_order<'a>(
        &'a self,
        whose: &'a Whose,
        id: &'a OrderId,
    ) -> BoxFuture<'a, Result<Option<Order>, StoreError>>;

    /// Returns a page of orders, newest first.
    fn orders(&self, query: OrderQuery) -> BoxFuture<'_, Result<Page<Order>, StoreError>>;

    /// Returns a page of a user's notifications, newest first, and the number of all unread ones.
    /// The embedded store reads both in one view; MongoDB counts after the page was read.
    fn notifications(
        &self,
        query: NotificationQuery,
    ) -> BoxFuture<'_, Result<(Page<Notification>, u64), StoreError>>;

    /// Returns the payment with this id of the provider's order.
    fn payment<'a>(
        &'a self,
        razorpay_order_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Payment>, StoreError>>;

    /// Returns the same payment as [`payment`](Self::payment), if it is one of this customer.
    fn own_payment<'a>(
        &'a self,
        customer: &'a UserId,
        razorpay_order_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Payment>, StoreError>>;

    /// Returns the payments of an order that stand. One that cannot be read is no error, because
    /// what others of the order took must be recorded all the same.
    fn standing_payments<'a>(
        &'a self,
        order: &'a OrderId,
    ) -> BoxFuture<'a, Result<StandingPayments, StoreError>>;

    /// Returns a page of payments, newest first.
    fn payments(&self, query: PaymentQuery) -> BoxFuture<'_, Result<Page<Payment>, StoreError>>;

    /// Returns whether the idempotency key of a claim was used, with the reply that is stored under
    /// it.
    fn idempotency_state<'a>(
        &'a self,
        claim: &'a IdempotencyClaim,
    ) -> BoxFuture<'a, Result<IdempotencyState, StoreError>>;

    /// Stores everything of a change, or nothing, and returns the reply of the change.
    fn commit(&self, change: Change) -> BoxFuture<'_, Result<StoredReply, CommitError>>;

    /// Marks a user's own notification as read, and returns it with the number of unread ones.
    /// Returns `None` if the user has no such notification; then the key stays unused. If it was
    /// unread, the change publishes `notification_read`.
    fn read_notification<'a>(
        &'a self,
        user: &'a UserId,
        id: NotificationId,
        keyed: Option<Keyed<(Notification, u64)>>,
    ) -> BoxFuture<'a, Result<Option<(Notification, u64)>, CommitError>>;

    /// Marks all of a user's notifications as read, and returns how many were unread. If there were
    /// any, the change publishes `notification_read`.
    fn read_all<'a>(
        &'a self,
        user: &'a UserId,
        keyed: Option<Keyed<u64>>,
    ) -> BoxFuture<'a, Result<u64, CommitError>>;

    /// Stores a tailor's status, and publishes `tailor_status_update` to the admins and to the
    /// rooms of that tailor's orders that are under way at this moment
    /// ([`OrderStatus::is_under_way`]): of the 200 that were changed last. What this costs does not
    /// grow with the number of the tailor's orders.
    fn set_tailor_status(
        &self,
        status: TailorStatus,
        keyed: Option<Keyed<TailorStatus>>,
    ) -> BoxFuture<'_, Result<(), CommitError>>;

    /// Checks that the store accepts changes. Returns a notice for its operator, if there is one.
    fn ping(&self) -> BoxFuture<'_, Result<Option<&'static str>, StoreError>>;

    /// Returns the reason why the store cannot be written, if it knows one.
    fn obstacle(&self) -> Option<WriteObstacle> {
        None
    }

    /// Looks for an [`obstacle`](Self::obstacle), also while nothing is written. A store does
    /// nothing if it has none.
    fn inspect(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }

    /// Returns the name of the store, for texts about its failure.
    fn name(&self) -> &'static str;

    /// Finishes the queued changes and closes the store. Later calls fail with
    /// [`StoreError::Unavailable`].
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// Returns the name of an enum's value in JSON. Stores write and search it.
fn name_of(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(_) | Err(_) => String::new(),
    }
}
