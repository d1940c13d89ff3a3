//! What is known when a batch is decided: what was read, and what the acts before made of it.

use std::collections::HashMap;

use metaia_realtime::{OrderId, UserId, event::PaymentStatus};
use mongodb::bson::{Bson, Document};

use super::{
    super::document::{
        Revision, claimed_at, hex, integer, notification_in, parsed, status_in, user_in,
    },
    layered::Layered,
    notifications::Unread,
    payments::stands,
};
use crate::model::{Notification, NotificationId, PaymentId, Timestamp};

/// What is known. What is not in a table is not in the database.
#[derive(Debug)]
pub(in super::super) struct Facts {
    /// The time, for what ends.
    pub(super) now: Timestamp,
    pub(super) orders: Layered<OrderId, Revision>,
    pub(super) numbers: Layered<String, ()>,
    /// For which tailor an order is open, if for any.
    pub(super) open: Layered<OrderId, Option<UserId>>,
    pub(super) tailors: Layered<UserId, Revision>,
    pub(super) payments: Layered<PaymentId, PaymentStatus>,
    /// The payments of an order that stand: one at the most, unless others have left more.
    pub(super) standing: Layered<OrderId, Vec<(Bson, PaymentStatus)>>,
    pub(super) provider_orders: Layered<String, ()>,
    pub(super) provider_events: Layered<String, ()>,
    pub(super) claims: Layered<String, Timestamp>,
    pub(super) notifications: Layered<NotificationId, Notification>,
    pub(super) unread: Layered<UserId, Unread>,
    /// Whose it is that was found under an id, and why it is no notification.
    pub(super) unreadable: HashMap<NotificationId, (Option<UserId>, String)>,
}

impl Facts {
    /// Nothing is known yet.
    pub(in super::super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            orders: Layered::default(),
            numbers: Layered::default(),
            open: Layered::default(),
            tailors: Layered::default(),
            payments: Layered::default(),
            standing: Layered::default(),
            provider_orders: Layered::default(),
            provider_events: Layered::default(),
            claims: Layered::default(),
            notifications: Layered::default(),
            unread: Layered::default(),
            unreadable: HashMap::new(),
        }
    }

    /// Orders, with their versions and numbers.
    pub(in super::super) fn learn_orders(&mut self, found: &[Document]) {
        for order in found {
            if let Some(id) = hex(order) {
                self.orders.learn(id, Revision::of(order));
            }
            if let Ok(number) = order.get_str("orderNumber") {
                self.numbers.learn(number.to_owned(), ());
            }
        }
    }

    /// Orders that are open, with their tailors.
    pub(in super::super) fn learn_open(&mut self, found: &[Document]) {
        let open = found
            .iter()
            .filter_map(|order| Some((hex(order)?, user_in(order, "tailor"))));
        open.for_each(|(order, tailor)| self.open.learn(order, tailor));
    }

    /// What tailors said, with its version.
    pub(in super::super) fn learn_tailors(&mut self, found: &[Document]) {
        let said = found
            .iter()
            .filter_map(|tailor| Some((hex(tailor)?, Revision::of(tailor))));
        said.for_each(|(tailor, revision)| self.tailors.learn(tailor, revision));
    }

    /// Payments, with whom they pay for and how far they are.
    pub(in super::super) fn learn_payments(&mut self, found: &[Document]) {
        for payment in found {
            if let Ok(of) = payment.get_str("razorpayOrderId") {
                self.provider_orders.learn(of.to_owned(), ());
            }
            let Some(status) = status_in(payment) else {
                continue;
            };
            if let Some(id) = hex(payment) {
                self.payments.learn(id, status);
            }
            let order = parsed(payment, "order").filter(|_| stands(status));
            if let Some((order, id)) = order.zip(payment.get("_id")) {
                self.standing.learn_one_more(order, (id.clone(), status));
            }
        }
    }

    /// Events of the provider that were seen.
    pub(in super::super) fn learn_provider_events(&mut self, found: &[Document]) {
        let ids = found.iter().filter_map(|event| event.get_str("_id").ok());
        ids.for_each(|id| self.provider_events.learn(id.to_owned(), ()));
    }

    /// Keys, with when they were claimed. One that does not say when counts as claimed now.
    pub(in super::super) fn learn_claims(&mut self, found: &[Document]) {
        for claim in found {
            if let Ok(id) = claim.get_str("_id") {
                let at = claimed_at(claim).unwrap_or(self.now);
                self.claims.learn(id.to_owned(), at);
            }
        }
    }

    /// Notifications as they are.
    pub(in super::super) fn learn_notifications(&mut self, found: &[Document]) {
        for document in found {
            let Some(id) = hex(document) else { continue };
            match notification_in(document) {
                Ok(notification) => self.notifications.learn(id, notification),
                Err(error) => {
                    self.unreadable
                        .insert(id, (user_in(document, "user"), error.to_string()));
                }
            }
        }
    }

    /// Of these users, how many notifications are unread: as many as `counted` says in `n`, by
    /// user, else none; and which, as far as they were `listed`.
    pub(in super::super) fn learn_unread(
        &mut self,
        users: impl IntoIterator<Item = UserId>,
        counted: &[Document],
        listed: &[Document],
    ) {
        let mut unread: HashMap<UserId, Unread> = users
            .into_iter()
            .map(|user| (user, Unread::default()))
            .collect();
        for group in counted {
            if let Some(unread) =
                parsed(group, "_id").and_then(|user: UserId| unread.get_mut(&user))
            {
                let count = group.get("n").and_then(integer).unwrap_or_default();
                unread.count += count.unsigned_abs();
            }
        }
        for notification in listed {
            let user = user_in(notification, "user");
            if let Some((unread, id)) = user
                .and_then(|user| unread.get_mut(&user))
                .zip(hex(notification))
            {
                unread.ids.push(id);
            }
        }
        unread
            .into_iter()
            .for_each(|(user, unread)| self.unread.learn(user, unread));
    }

    /// What the last act made of them is so.
    pub(super) fn keep(&mut self) {
        self.orders.keep();
        self.numbers.keep();
        self.open.keep();
        self.tailors.keep();
        self.payments.keep();
        self.standing.keep();
        self.provider_orders.keep();
        self.provider_events.keep();
        self.claims.keep();
        self.notifications.keep();
        self.unread.keep();
    }

    /// The last act was refused.
    pub(super) fn forget(&mut self) {
        self.orders.forget();
        self.numbers.forget();
        self.open.forget();
        self.tailors.forget();
        self.payments.forget();
        self.standing.forget();
        self.provider_orders.forget();
        self.provider_events.forget();
        self.claims.forget();
        self.notifications.forget();
        self.unread.forget();
    }
}
