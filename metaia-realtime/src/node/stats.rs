//! What a node has done since it began, counted: for `/metrics`, for the admin's view, and for
//! tests.
//!
//! Counters are relaxed atomics, added to once per batch where there are batches. A counter by code
//! has a fixed set of codes; whatever else there is, such as the codes of an embedder's handlers,
//! counts as `other`.

use std::collections::BTreeMap;

use serde::Serialize;

pub(crate) use super::counter::{ByCode, Counter};

use crate::{Role, node::Node};

/// Counts by their stable codes.
type Codes = BTreeMap<&'static str, u64>;

/// The counters of one node.
#[derive(Debug)]
pub(crate) struct Counters {
    pub(crate) connects: ByCode<4>,
    pub(crate) connects_refused: ByCode<6>,
    pub(crate) handshakes_refused: ByCode<7>,
    pub(crate) ends: ByCode<16>,
    pub(crate) events_refused: ByCode<9>,
    pub(crate) joins: ByCode<3>,
    pub(crate) resets: ByCode<4>,
    pub(crate) catch_up_reads: ByCode<2>,
    pub(crate) replayed: Counter,
    pub(crate) credit_stalls: Counter,
    pub(crate) appended: Counter,
    pub(crate) append_errors: ByCode<2>,
    pub(crate) read_errors: Counter,
    pub(crate) dispatched: Counter,
    pub(crate) delivered: Counter,
    pub(crate) volatile_sent: Counter,
    pub(crate) volatile_replaced: Counter,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            connects: ByCode::new(Role::ALL.map(Role::as_str)),
            connects_refused: ByCode::new([
                "unauthorized",
                "token_expired",
                "token_revoked",
                "forbidden",
                "unavailable",
                "other",
            ]),
            handshakes_refused: ByCode::new([
                "origin_not_allowed",
                "too_many_sessions",
                "too_many_handshakes",
                "too_many_connections",
                "draining",
                "cut_off",
                "other",
            ]),
            ends: ByCode::new([
                "client_left",
                "transport_lost",
                "ping_timeout",
                "token_expired",
                "token_revoked",
                "slow_consumer",
                "replaced",
                "too_many_sessions",
                "rate_limited",
                "draining",
                "unavailable",
                "cut_off",
                "kicked",
                "internal_error",
                "shutdown",
                "other",
            ]),
            events_refused: ByCode::new([
                "forbidden",
                "invalid_order_id",
                "too_many_rooms",
                "rate_limited",
                "unavailable",
                "unknown_event",
                "malformed",
                "not_held",
                "other",
            ]),
            joins: ByCode::new(["allowed", "denied", "unavailable"]),
            resets: ByCode::new(["epoch_changed", "too_old", "ahead", "malformed"]),
            catch_up_reads: ByCode::new(["window", "log"]),
            replayed: Counter::default(),
            credit_stalls: Counter::default(),
            appended: Counter::default(),
            append_errors: ByCode::new(["unavailable", "unknown"]),
            read_errors: Counter::default(),
            dispatched: Counter::default(),
            delivered: Counter::default(),
            volatile_sent: Counter::default(),
            volatile_replaced: Counter::default(),
        }
    }
}

/// What one node has done since it began, and how it stands now. All but what is said to be now
/// only ever grows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NodeStats {
    /// Sessions now, by role.
    pub sessions: Codes,
    /// Rooms with somebody in them now.
    pub rooms: u64,
    /// Users with sessions now.
    pub users: u64,
    /// Sessions begun, by role.
    pub connects: Codes,
    /// Connections that were not let in, by the code of their `connect_error`.
    pub connects_refused: Codes,
    /// Handshakes refused before they began, by cause.
    pub handshakes_refused: Codes,
    /// Sessions ended, by cause: see [`EndReason`](crate::EndReason).
    pub ends: Codes,
    /// Events of clients that were refused, by code.
    pub events_refused: Codes,
    /// Joins of order rooms, by what the policy said: `allowed`, `denied`, or `unavailable`.
    pub joins: Codes,
    /// Clients told to reload, by the reason that they were told.
    pub resets: Codes,
    /// Steps of sessions that were catching up, by where they read: `window` or `log`.
    pub catch_up_reads: Codes,
    /// Entries handed to sessions that were catching up.
    pub replayed: u64,
    /// How often a live session fell behind because its client did not read fast enough.
    pub credit_stalls: u64,
    /// Entries appended by this node's handle. What is appended in transactions beside it is not
    /// among them.
    pub appended: u64,
    /// Appends of this node's handle that failed, by whether they may have been stored:
    /// `unavailable` or `unknown`.
    pub append_errors: Codes,
    /// Reads of the log by the dispatcher that failed.
    pub read_errors: u64,
    /// Entries dispatched.
    pub dispatched: u64,
    /// Entries handed to transports: an entry counts for each session that gets it.
    pub delivered: u64,
    /// Volatile events sent by this node's handle.
    pub volatile_sent: u64,
    /// Volatile events that a newer one, or too many others, took the place of in a session.
    pub volatile_replaced: u64,
    /// The number of the log's last entry, as far as this node knows, now.
    pub log_head: u64,
    /// How many entries of those are not dispatched yet, now.
    pub lag: u64,
}

impl NodeStats {
    pub(crate) fn of(node: &Node) -> Self {
        let counted = &*node.counters;
        let (rooms, users, _) = node.registry.sizes();
        let (log_head, dispatched) = (*node.log.changes().borrow(), node.window.dispatched().n());
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
            delivered: counted.delivered.read(),
            volatile_sent: counted.volatile_sent.read(),
            volatile_replaced: counted.volatile_replaced.read(),
            log_head,
            lag: log_head.saturating_sub(dispatched),
        }
    }
}
