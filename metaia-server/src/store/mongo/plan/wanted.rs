//! What has to be known before a batch can be decided.

use std::{collections::BTreeSet, sync::Arc};

use metaia_realtime::{OrderId, UserId};

use super::super::document::claim_id;
use crate::store::mongo::request::{Act, Acts};
use crate::{
    model::{NotificationId, PaymentId},
    store::{Change, Write},
};

/// Which records are asked for. Everything is an id of ours: nothing of a client's JSON.
#[derive(Debug, Default)]
pub(in super::super) struct Wanted {
    /// Orders, for their version, or whether there are such.
    pub(in super::super) orders: BTreeSet<OrderId>,
    /// Numbers of orders, for whether they are taken.
    pub(in super::super) numbers: BTreeSet<String>,
    /// Payments by id, for their status.
    pub(in super::super) payments: BTreeSet<PaymentId>,
    /// Orders, for the payment that stands.
    pub(in super::super) paid: BTreeSet<OrderId>,
    /// The provider's ids of orders, for whether they are taken.
    pub(in super::super) provider_orders: BTreeSet<String>,
    /// The provider's events, for whether they were seen.
    pub(in super::super) provider_events: BTreeSet<String>,
    /// Keys of answers, for when they were claimed.
    pub(in super::super) claims: BTreeSet<String>,
    /// Notifications to be marked.
    pub(in super::super) notifications: BTreeSet<NotificationId>,
    /// Users whose unread notifications are counted.
    pub(in super::super) counted: BTreeSet<UserId>,
    /// Users whose unread notifications are marked.
    pub(in super::super) marked: BTreeSet<UserId>,
    /// Tailors, for their version and their open orders.
    pub(in super::super) tailors: BTreeSet<UserId>,
}

impl Wanted {
    pub(in super::super) fn by(acts: &Acts) -> Self {
        let mut wanted = Self::default();
        acts.iter()
            .map(Arc::as_ref)
            .for_each(|act| wanted.by_act(act));
        wanted
    }

    fn by_act(&mut self, act: &Act) {
        match act {
            Act::Change(Change { writes, claim, .. }) => {
                writes.iter().for_each(|write| self.by_write(write));
                self.claims.extend(claim.as_ref().map(claim_id));
            }
            Act::ReadOne { user, id, .. } => {
                self.notifications.insert(*id);
                self.counted.insert(user.clone());
            }
            Act::ReadAll { user, .. } => {
                self.marked.insert(user.clone());
                self.counted.insert(user.clone());
            }
            Act::Tailor { status, .. } => _ = self.tailors.insert(status.tailor.clone()),
        }
    }

    fn by_write(&mut self, write: &Write) {
        match write {
            Write::NewOrder(order) => {
                self.orders.insert(order.id.clone());
                self.numbers.insert(order.order_number.to_string());
            }
            Write::Order(order) => _ = self.orders.insert(order.id.clone()),
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
            Write::ProviderEvent(id) => _ = self.provider_events.insert(id.clone()),
        }
    }
}
