//! The state of things as one person has seen it: to say what an event has changed.

use super::order_name::OrderName;
use super::recent::{Recent, remembered};
use super::seen_order::SeenOrder;

/// The orders, payments and tailors that one person has received events of. It remembers at least
/// the last 1,000 of each kind, see [`Recent`].
#[derive(Debug, Default)]
pub(crate) struct Memory {
    orders: Recent<SeenOrder>,
    payments: Recent<String>,
    tailors: Recent<String>,
}

impl Memory {
    pub(super) fn order(&self, id: &str) -> Option<&SeenOrder> {
        self.orders.get(id)
    }

    pub(super) fn set_order(&mut self, id: &str, order: SeenOrder) {
        self.orders.set(id, order);
    }

    /// Sets the status of a payment, and returns the one before.
    pub(super) fn set_payment_status(&mut self, id: &str, status: &str) -> Option<String> {
        self.payments.set(id, remembered(status))
    }

    /// Sets the status of a tailor, and returns the one before.
    pub(super) fn set_tailor_status(&mut self, tailor: &str, status: &str) -> Option<String> {
        self.tailors.set(tailor, remembered(status))
    }

    /// Returns the number of an order, if this person has seen the order.
    pub(crate) fn number_of(&self, id: &str) -> Option<&str> {
        self.orders.get(id)?.number.as_deref()
    }

    pub(super) fn name_of(&self, id: &str) -> OrderName {
        match self.number_of(id) {
            Some(number) => OrderName::Number(number.to_owned()),
            None => OrderName::Id(id.to_owned()),
        }
    }
}
