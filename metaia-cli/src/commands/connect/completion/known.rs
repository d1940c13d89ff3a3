//! The names that a run of `connect` knows: its roles, and what their sessions have received.

use std::collections::{BTreeSet, VecDeque};

use metaia_realtime::event::EventName;
use serde_json::Value;

use crate::commands::connect::rooms::Rooms;
use crate::order_ref::OrderRef;

/// The most orders, and the most names of events, that are remembered.
const MOST_REMEMBERED: usize = 200;

/// The names that can be completed.
#[derive(Debug, Clone, Default)]
pub(in crate::commands::connect) struct Known {
    roles: Vec<KnownRole>,
    /// Ids and numbers, the newest first.
    orders: VecDeque<String>,
    events: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct KnownRole {
    /// `ROLE:USER`.
    label: String,
    rooms: Rooms,
}

impl Known {
    pub(in crate::commands::connect) fn add_role(&mut self, label: &str, rooms: Rooms) {
        self.roles.push(KnownRole {
            label: label.to_owned(),
            rooms,
        });
    }

    /// Remembers the name of an event, and the orders that it names. Names that can be none, which
    /// a peer may send, are left out.
    pub(in crate::commands::connect) fn observe(&mut self, event: &str, data: &Value) {
        if event.parse::<EventName>().is_ok() && self.events.len() < MOST_REMEMBERED {
            self.events.insert(event.to_owned());
        }
        for name in order_names(data) {
            self.remember_order(name);
        }
    }

    fn remember_order(&mut self, name: &str) {
        // The room of an order is no name for it here.
        let is_order = name.parse::<OrderRef>().is_ok() && !name.starts_with("order-");
        if !is_order {
            return;
        }
        self.orders.retain(|order| order != name);
        self.orders.push_front(name.to_owned());
        self.orders.truncate(MOST_REMEMBERED);
    }

    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        let labels: BTreeSet<&str> = self.roles.iter().map(|role| role.label.as_str()).collect();
        labels.into_iter()
    }

    /// Returns the orders that were seen, the newest first, then those of the joined rooms.
    pub(super) fn orders(&self) -> Vec<String> {
        let mut orders: Vec<String> = self.orders.iter().cloned().collect();
        let joined = self.joined(None);
        orders.extend(joined.into_iter().filter(|id| !self.orders.contains(id)));
        orders
    }

    /// Returns the orders in whose rooms this role, or any, is.
    pub(super) fn joined(&self, actor: Option<&str>) -> Vec<String> {
        let is_meant = |role: &&KnownRole| actor.is_none_or(|actor| role.label == actor);
        let roles = self.roles.iter().filter(is_meant);
        let orders: BTreeSet<String> = roles.flat_map(|role| role.rooms.orders()).collect();
        orders.into_iter().collect()
    }

    /// Returns the names of the events that were received, and these.
    pub(super) fn events_and(&self, others: impl IntoIterator<Item = &'static str>) -> Vec<String> {
        let others = others.into_iter().map(str::to_owned);
        let names: BTreeSet<String> = self.events.iter().cloned().chain(others).collect();
        names.into_iter().collect()
    }
}

/// Returns the ids and numbers of the orders that a payload names. Its `_id` is an order's only
/// beside an order's number.
fn order_names(data: &Value) -> impl Iterator<Item = &str> {
    let text = |member: &str| data.get(member).and_then(Value::as_str);
    let number = text("orderNumber");
    let id = number.and_then(|_| text("_id"));
    let order = data.get("order");
    let of_order = |member: &str| {
        order
            .and_then(|order| order.get(member))
            .and_then(Value::as_str)
    };
    let names = [
        id,
        number,
        text("orderId"),
        text("relatedOrder"),
        text("order"),
        of_order("_id"),
        of_order("orderNumber"),
    ];
    names.into_iter().flatten()
}
