//! The facts that planning a batch needs.

use std::collections::BTreeSet;

use metaia_realtime::{OrderId, UserId};

use crate::{
    model::{NotificationId, PaymentId},
    store::Write,
};

/// The ids of the wanted records. All are validated ids, never a client's JSON.
#[derive(Debug, Default)]
pub(in super::super) struct WantedFacts {
    /// Orders, for their existence and version.
    pub(in super::super) orders: BTreeSet<OrderId>,
    /// Numbers of orders, for their existence.
    pub(in super::super) numbers: BTreeSet<String>,
    /// Payments by id, for their status and version.
    pub(in super::super) payments: BTreeSet<PaymentId>,
    /// Orders, for their standing payments.
    pub(in super::super) paid: BTreeSet<OrderId>,
    /// The provider's ids of orders, for their existence.
    pub(in super::super) provider_orders: BTreeSet<String>,
    /// The provider's events, for their existence.
    pub(in super::super) provider_events: BTreeSet<String>,
    /// Idempotency keys, for the times of their claims.
    pub(in super::super) claims: BTreeSet<String>,
    /// Notifications to mark, each with the user who marks it: it is read only if it is theirs.
    pub(in super::super) notifications: BTreeSet<(UserId, NotificationId)>,
    /// Users whose unread notifications are counted.
    pub(in super::super) counted: BTreeSet<UserId>,
    /// Users whose unread notifications are marked.
    pub(in super::super) marked: BTreeSet<UserId>,
    /// Tailors, for their version and their orders that are under way.
    pub(in super::super) tailors: BTreeSet<UserId>,
}

impl WantedFacts {
    /// Adds what the condition of a write is about.
    pub(super) fn add_write(&mut self, write: &Write) {
        match write {
            Write::NewOrder(order) => {
                self.orders.insert(order.id.clone());
                self.numbers.insert(order.order_number.to_string());
            }
            Write::Order(order) => {
                self.orders.insert(order.id.clone());
            }
            Write::OrderAsRead { order, .. } => {
                self.orders.insert(order.clone());
            }
            Write::NewNotification(_) => {}
            Write::NewPayment(payment) => {
                self.payments.insert(payment.id);
                self.paid.insert(payment.order.clone());
                self.provider_orders
                    .insert(payment.razorpay_order_id.clone());
            }
            Write::Payment { payment, .. } => {
                self.payments.insert(payment.id);
                self.paid.insert(payment.order.clone());
            }
            Write::ProviderEvent(id) => {
                self.provider_events.insert(id.clone());
            }
        }
    }
}
