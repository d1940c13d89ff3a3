//! The record of a client, and the rule by which several records become one.

use std::collections::BTreeSet;

#[cfg(any(feature = "sqlite", feature = "mongodb"))]
use crate::values::time;
use crate::{OrderId, Position};

/// The most connections that a merged record counts.
const MAX_CONNECTIONS: u32 = 16;

/// The stored record of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRecord {
    /// The position up to which the client has certainly received everything.
    pub position: Position,
    /// The order rooms that the client was in. Access to them is decided again when it reconnects.
    pub orders: Vec<OrderId>,
    /// The number of connections that the record stands for: several if clients share a device or a
    /// token.
    pub connections: u32,
    /// The number of connections that are live. The clients of the others may come back. A store
    /// that one node uses need not keep it, and reads 0.
    pub connected: u32,
    /// The time when the client was last heard of, in ms since the Unix epoch; for one that is
    /// connected, the time of the record.
    pub at: i64,
}

impl DeviceRecord {
    /// Merges two records of one key, so that whichever client continues from the result misses
    /// nothing: the smaller position, all order rooms, all connections, the later time.
    ///
    /// The result does not depend on the order in which records are merged.
    pub(crate) fn merge(self, other: Self) -> Self {
        let connections = self.connections.saturating_add(other.connections);
        let connected = self.connected.saturating_add(other.connected);
        let orders: BTreeSet<OrderId> = self.orders.into_iter().chain(other.orders).collect();
        Self {
            position: smaller(self.position, other.position),
            orders: orders.into_iter().collect(),
            connections: connections.min(MAX_CONNECTIONS),
            connected: connected.min(MAX_CONNECTIONS),
            at: self.at.max(other.at),
        }
    }

    /// Returns the number of clients that may come back.
    pub(crate) fn away(&self) -> u32 {
        self.connections.saturating_sub(self.connected)
    }

    /// Returns the order rooms as one text, the form for stores.
    #[cfg(any(feature = "sqlite", feature = "mongodb"))]
    pub(crate) fn orders_text(&self) -> String {
        let orders: Vec<&str> = self.orders.iter().map(OrderId::as_str).collect();
        orders.join(" ")
    }

    /// Reads the order rooms of [`orders_text`](Self::orders_text). Returns `None` if the text is
    /// damaged.
    #[cfg(any(feature = "sqlite", feature = "mongodb"))]
    pub(crate) fn read_orders(text: &str) -> Option<Vec<OrderId>> {
        let orders = text.split_ascii_whitespace();
        orders.map(|order| order.parse().ok()).collect()
    }

    /// Returns a record that makes the client reload once, for one that cannot be read. Refusing
    /// the client instead would last until the record expires, a day later.
    #[cfg(any(feature = "sqlite", feature = "mongodb"))]
    pub(crate) fn replace_damaged() -> Self {
        tracing::error!("the record of a client is damaged: it will be told to reload");
        Self {
            position: Position::UNUSABLE,
            orders: Vec::new(),
            connections: 1,
            connected: 0,
            at: time::unix_ms(),
        }
    }
}

/// Returns the smaller of two positions.
///
/// Positions of two epochs cannot be compared, and at most one of them is of the log's epoch. A
/// client that continued from it might be the other one, so it cannot continue from either.
fn smaller(one: Position, other: Position) -> Position {
    if one == other {
        return one;
    }
    let is_unusable = [one, other].contains(&Position::UNUSABLE);
    if is_unusable || one.epoch() != other.epoch() {
        return Position::UNUSABLE;
    }
    // Of two positions with one number, at most one is of the log. The check bits decide which one
    // stays, so that the order of the merges does not matter.
    std::cmp::min_by_key(one, other, |position| (position.n, position.check))
}

/// Records of any shape, for tests.
#[cfg(test)]
pub(super) mod any {
    use proptest::{collection::btree_set, prelude::*};

    use super::*;
    use crate::values::Epoch;

    pub(in crate::device) fn position() -> impl Strategy<Value = Position> {
        let place = |(epoch, check, n)| Position {
            epoch: Epoch::from_bits(epoch),
            check,
            n,
        };
        let usable = (0..3_u64, 0..2_u32, 0..4_u64).prop_map(place);
        prop_oneof![9 => usable, 1 => Just(Position::UNUSABLE)]
    }

    pub(in crate::device) fn record() -> impl Strategy<Value = DeviceRecord> {
        let order = (0..4_u8).prop_map(|n| n.to_string().parse().unwrap());
        let parts = (position(), btree_set(order, 0..4), 0..20_u32, 0..5_i64);
        parts.prop_map(|(position, orders, connections, at)| DeviceRecord {
            position,
            orders: orders.into_iter().collect(),
            connections,
            connected: 0,
            at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{any, *};
    use crate::{
        log::{History, ResetReason, ResumeFacts, judge},
        values::{Epoch, EventId},
    };
    use proptest::{collection::vec, prelude::*};

    proptest! {
        #[test]
        fn a_merge_is_commutative(one in any::record(), other in any::record()) {
            prop_assert_eq!(one.clone().merge(other.clone()), other.merge(one));
        }

        #[test]
        fn a_merge_is_associative(
            one in any::record(),
            two in any::record(),
            three in any::record(),
        ) {
            let from_left = one.clone().merge(two.clone()).merge(three.clone());
            prop_assert_eq!(from_left, one.merge(two.merge(three)));
        }

        /// Only the connections add up.
        #[test]
        fn a_merge_is_idempotent(record in any::record()) {
            let merged = record.clone().merge(record.clone());
            prop_assert_eq!(merged.connections, (record.connections * 2).min(MAX_CONNECTIONS));
            let connections = record.connections;
            prop_assert_eq!(DeviceRecord { connections, ..merged }, record);
        }

        /// A client that continues from the merged record skips nothing that one of them lacks, and
        /// keeps every room.
        #[test]
        fn a_merge_never_raises_a_position(records in vec(any::record(), 1..6)) {
            let merged = records.iter().cloned().reduce(DeviceRecord::merge).unwrap();
            for record in &records {
                let position = merged.position;
                let is_reset = position == Position::UNUSABLE;
                let is_same_epoch = position.epoch() == record.position.epoch();
                let is_before = is_same_epoch && position.n() <= record.position.n();
                prop_assert!(is_reset || is_before, "{position} for {record:?}");
                prop_assert!(record.orders.iter().all(|order| merged.orders.contains(order)));
                prop_assert!(merged.at >= record.at);
            }
        }
    }

    fn at(epoch: u64, n: u64) -> DeviceRecord {
        DeviceRecord {
            position: Position {
                epoch: Epoch::from_bits(epoch),
                check: 0,
                n,
            },
            orders: Vec::new(),
            connections: 1,
            connected: 0,
            at: 0,
        }
    }

    #[test]
    fn a_client_cannot_continue_from_positions_of_two_epochs() {
        assert_eq!(at(1, 9).merge(at(1, 5)).position, at(1, 5).position);
        let merged = at(1, 100).merge(at(2, 90));
        assert_eq!(merged.position, Position::UNUSABLE);
    }

    /// Also a log that has the same epoch by chance, and all its entries.
    #[test]
    fn no_log_honours_the_unusable_position() {
        for n in [0, 1, 7] {
            let epoch = Position::UNUSABLE.epoch();
            let head = match n {
                0 => Position::start(epoch),
                n => Position::new(epoch, n, EventId::from_bytes([7; 16])),
            };
            let history = History {
                head,
                entry: None,
                trimmed: 0,
                missed: 0,
            };
            let facts = ResumeFacts::from_history(Position::UNUSABLE.n(), history);
            let judged = judge(Position::UNUSABLE, facts, 10);
            assert_eq!(judged, Err(ResetReason::EpochChanged), "{head}");
        }
    }
}
