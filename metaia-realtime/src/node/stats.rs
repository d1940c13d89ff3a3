//! What a node has done since it began, and its present state: for `/metrics`, for the admin's
//! view, and for tests.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Node;
use crate::Role;

/// Counts by their stable codes.
type Codes = BTreeMap<&'static str, u64>;

/// What one node has done since it began, and its present state. Every number only grows, except
/// those that are said to be present ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NodeStats {
    /// Present sessions, by role.
    pub sessions: Codes,
    /// Present rooms: those with at least one session.
    pub rooms: u64,
    /// Present users: those with at least one session.
    pub users: u64,
    /// Sessions that were admitted, by role.
    pub connects: Codes,
    /// Connections that were refused, by the code of their `connect_error`.
    pub connects_refused: Codes,
    /// Handshakes refused before they began, by cause.
    pub handshakes_refused: Codes,
    /// Sessions that ended, by reason: see [`EndReason`](crate::EndReason).
    pub ends: Codes,
    /// Events from clients that were refused, by code.
    pub events_refused: Codes,
    /// Joins of order rooms, by the policy's decision: `allowed`, `denied`, or `unavailable`.
    pub joins: Codes,
    /// Resets (clients that were told to reload), by reason.
    pub resets: Codes,
    /// Steps of sessions that were catching up, by what they read: `window` or `log`.
    pub catch_up_reads: Codes,
    /// Entries that were handed to sessions while catching up.
    pub replayed: u64,
    /// How often a live session fell behind because its client did not read fast enough.
    pub credit_stalls: u64,
    /// Entries appended through this node's handle. Entries that are appended in transactions
    /// beside it are not counted.
    pub appended: u64,
    /// Failed appends through this node's handle: `unavailable` if nothing was stored, `unknown` if
    /// the entries may have been stored.
    pub append_errors: Codes,
    /// Reads of the log by the dispatcher that failed.
    pub read_errors: u64,
    /// Entries dispatched.
    pub dispatched: u64,
    /// Control entries that this node could not read: they are damaged, or a newer version wrote
    /// them.
    pub unreadable_controls: u64,
    /// Entries that were handed to transports. An entry counts once for each session.
    pub delivered: u64,
    /// Volatile events that were sent through this node's handle.
    pub volatile_sent: u64,
    /// Volatile events that were dropped in a session, for a newer one of their name or because too
    /// many waited.
    pub volatile_replaced: u64,
    /// The number of the log's last entry that this node knows of at present.
    pub log_head: u64,
    /// How many entries up to `log_head` are not dispatched at present.
    pub lag: u64,
}

impl NodeStats {
    pub(crate) fn from_node(node: &Node) -> Self {
        let counted = &*node.counters;
        let (rooms, users, _) = node.registry.sizes();
        let log_head = *node.log.changes().borrow();
        let dispatched = node.window.dispatched().n();
        Self {
            sessions: Role::ALL
                .iter()
                .map(|role| (role.as_str(), node.registry.of_role(*role)))
                .collect(),
            rooms: rooms as u64,
            users: users as u64,
            connects: counted.connects.read(),
            connects_refused: counted.connects_refused.read(),
            handshakes_refused: counted.handshakes_refused.read(),
            ends: counted.ends.read(),
            events_refused: counted.events_refused.read(),
            joins: counted.joins.read(),
            resets: counted.resets.read(),
            catch_up_reads: counted.catch_up_reads.read(),
            replayed: counted.replayed.read(),
            credit_stalls: counted.credit_stalls.read(),
            appended: counted.appended.read(),
            append_errors: counted.append_errors.read(),
            read_errors: counted.read_errors.read(),
            dispatched: counted.dispatched.read(),
            unreadable_controls: counted.unreadable_controls.read(),
            delivered: counted.delivered.read(),
            volatile_sent: counted.volatile_sent.read(),
            volatile_replaced: counted.volatile_replaced.read(),
            log_head,
            lag: log_head.saturating_sub(dispatched),
        }
    }
}
