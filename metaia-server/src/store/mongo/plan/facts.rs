//! The facts on which a batch is planned: those that were read, with the changes of the requests
//! before.

use std::collections::HashMap;

use metaia_realtime::{OrderId, UserId, event::PaymentStatus};
use mongodb::bson::{Bson, Document};

use super::{
    super::document::{
        Revision, changed_at_in, claimed_at_in, id_in, integer, notification_in, parsed, status_in,
        user_in,
    },
    layered::{Draft, Layered},
};
use crate::model::{Notification, NotificationId, PaymentId, Timestamp};

/// The facts. A record that is not in its table is not in the database.
#[derive(Debug)]
pub(in super::super) struct Facts {
    /// The time of the batch.
    pub(super) now: Timestamp,
    pub(super) orders: Layered<OrderId, Revision>,
    pub(super) numbers: Layered<String, ()>,
    /// For an order that is under way, the tailor who works on it.
    pub(super) under_way: Layered<OrderId, Option<UnderWay>>,
    pub(super) tailors: Layered<UserId, Revision>,
    pub(super) payments: Layered<PaymentId, StoredPayment>,
    /// The standing payments of an order: at most one, unless other programs have left more.
    pub(super) standing: Layered<OrderId, Vec<(Bson, PaymentStatus)>>,
    pub(super) provider_orders: Layered<String, ()>,
    pub(super) provider_events: Layered<String, ()>,
    pub(super) claims: Layered<String, Timestamp>,
    pub(super) notifications: Layered<NotificationId, Notification>,
    pub(super) unread: Layered<UserId, Unread>,
    /// Documents that are no notifications: their user, and the reason.
    pub(super) unreadable: HashMap<NotificationId, (Option<UserId>, String)>,
}

impl Facts {
    /// Returns facts about an empty database.
    pub(in super::super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            orders: Layered::default(),
            numbers: Layered::default(),
            under_way: Layered::default(),
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

    /// Loads the versions and the numbers of orders.
    pub(in super::super) fn load_orders(&mut self, found: &[Document]) {
        for order in found {
            if let Some(id) = id_in(order) {
                self.orders.load(id, Revision::read(order));
            }
            if let Ok(number) = order.get_str("orderNumber") {
                self.numbers.load(number.to_owned(), ());
            }
        }
    }

    /// Loads orders that are under way. One without a time counts as the first that was changed, as
    /// the database sorts it.
    pub(in super::super) fn load_under_way(&mut self, found: &[Document]) {
        for order in found {
            let Some(id) = id_in(order) else { continue };
            let under_way = user_in(order, "tailor").map(|tailor| UnderWay {
                tailor,
                changed_at: changed_at_in(order),
            });
            self.under_way.load(id, under_way);
        }
    }

    /// Loads the versions of tailors' statuses.
    pub(in super::super) fn load_tailors(&mut self, found: &[Document]) {
        for status in found {
            if let Some(tailor) = id_in(status) {
                self.tailors.load(tailor, Revision::read(status));
            }
        }
    }

    /// Loads payments, with their orders, statuses and versions.
    pub(in super::super) fn load_payments(&mut self, found: &[Document]) {
        for payment in found {
            if let Ok(id) = payment.get_str("razorpayOrderId") {
                self.provider_orders.load(id.to_owned(), ());
            }
            let Some(status) = status_in(payment) else {
                continue;
            };
            if let Some(id) = id_in(payment) {
                let revision = Revision::read(payment);
                self.payments.load(id, StoredPayment { status, revision });
            }
            if !stands(status) {
                continue;
            }
            if let (Some(order), Some(id)) = (parsed(payment, "order"), payment.get("_id")) {
                self.standing.load_one_more(order, (id.clone(), status));
            }
        }
    }

    /// Loads the provider's events that were seen.
    pub(in super::super) fn load_provider_events(&mut self, found: &[Document]) {
        for event in found {
            if let Ok(id) = event.get_str("_id") {
                self.provider_events.load(id.to_owned(), ());
            }
        }
    }

    /// Loads keys with the times of their claims. A key without a time counts as claimed now.
    pub(in super::super) fn load_claims(&mut self, found: &[Document]) {
        for claim in found {
            if let Ok(id) = claim.get_str("_id") {
                let at = claimed_at_in(claim).unwrap_or(self.now);
                self.claims.load(id.to_owned(), at);
            }
        }
    }

    /// Loads notifications.
    pub(in super::super) fn load_notifications(&mut self, found: &[Document]) {
        for document in found {
            let Some(id) = id_in(document) else { continue };
            match notification_in(document) {
                Ok(notification) => self.notifications.load(id, notification),
                Err(error) => {
                    let user = user_in(document, "user");
                    self.unreadable.insert(id, (user, error.to_string()));
                }
            }
        }
    }

    /// Loads the unread notifications of these users: their number out of `counted`, where it is
    /// `n` by user, and 0 for users who are not in it; their ids out of `listed`.
    pub(in super::super) fn load_unread(
        &mut self,
        users: impl IntoIterator<Item = UserId>,
        counted: &[Document],
        listed: &[Document],
    ) {
        let users = users.into_iter().map(|user| (user, Unread::default()));
        let mut by_user: HashMap<UserId, Unread> = users.collect();
        for group in counted {
            // A user may have two groups: one for the id as an ObjectId, one for the id as text.
            if let Some(user) = user_in(group, "_id")
                && let Some(unread) = by_user.get_mut(&user)
            {
                let count = group.get("n").and_then(integer).unwrap_or_default();
                unread.count += count.unsigned_abs();
            }
        }
        for notification in listed {
            if let Some(user) = user_in(notification, "user")
                && let Some(unread) = by_user.get_mut(&user)
                && let Some(id) = id_in(notification)
            {
                unread.ids.push(id);
            }
        }
        for (user, unread) in by_user {
            self.unread.load(user, unread);
        }
    }

    /// Makes the changes of the last request part of the facts.
    pub(super) fn commit(&mut self) {
        for table in self.tables() {
            table.commit();
        }
    }

    /// Drops the changes of the last request, which was refused.
    pub(super) fn roll_back(&mut self) {
        for table in self.tables() {
            table.roll_back();
        }
    }

    /// Returns every table with a draft. A table that is not in this list keeps the changes of
    /// refused requests, so each field is named here: a new one does not compile without it.
    fn tables(&mut self) -> [&mut dyn Draft; 11] {
        let Self {
            now: _,
            orders,
            numbers,
            under_way,
            tailors,
            payments,
            standing,
            provider_orders,
            provider_events,
            claims,
            notifications,
            unread,
            unreadable: _,
        } = self;
        [
            orders,
            numbers,
            under_way,
            tailors,
            payments,
            standing,
            provider_orders,
            provider_events,
            claims,
            notifications,
            unread,
        ]
    }
}

/// Facts about nothing, for a batch without requests.
impl Default for Facts {
    fn default() -> Self {
        Self::new(Timestamp::now())
    }
}

/// The parts of a payment on which its next version depends.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StoredPayment {
    pub(super) status: PaymentStatus,
    pub(super) revision: Revision,
}

/// An order that is under way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct UnderWay {
    pub(super) tailor: UserId,
    pub(super) changed_at: Option<Timestamp>,
}

/// The unread notifications of a user.
#[derive(Debug, Clone, Default)]
pub(super) struct Unread {
    /// Their number.
    pub(super) count: u64,
    /// The ids of those that can be marked now.
    pub(super) ids: Vec<NotificationId>,
}

/// Returns whether a payment with this status stands: it is open or completed.
pub(super) const fn stands(status: PaymentStatus) -> bool {
    matches!(status, PaymentStatus::Created | PaymentStatus::Completed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns how often `word` is in the debug text of the facts, which shows every field.
    fn count(facts: &Facts, word: &str) -> usize {
        format!("{facts:?}").matches(word).count()
    }

    #[test]
    fn every_table_is_committed_and_rolled_back() {
        let mut facts = Facts::default();
        let tables = count(&facts, "Layered {");
        assert_eq!(facts.tables().len(), tables);
    }
}
