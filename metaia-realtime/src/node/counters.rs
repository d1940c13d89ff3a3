//! The counters of a node.
//!
//! Counters are relaxed atomics. Batches are added as one number. A counter by code has a fixed set
//! of codes; every other code, such as one of an embedder's handlers, counts as `other`.

use super::counter::{ByCode, Counter};
use crate::Role;

/// Codes of `connect_error`.
const CONNECT_REFUSALS: [&str; 6] = [
    "unauthorized",
    "token_expired",
    "token_revoked",
    "forbidden",
    "unavailable",
    "other",
];

/// Causes of refused handshakes.
const HANDSHAKE_REFUSALS: [&str; 7] = [
    "origin_not_allowed",
    "too_many_sessions",
    "too_many_handshakes",
    "too_many_connections",
    "draining",
    "cut_off",
    "other",
];

/// Codes of [`EndReason`](crate::EndReason). No reason has the codes `token_revoked` and
/// `shutdown`: they are kept as labels, so that the metrics keep their series.
const END_REASONS: [&str; 16] = [
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
];

/// Codes of refused events.
const EVENT_REFUSALS: [&str; 9] = [
    "forbidden",
    "invalid_order_id",
    "too_many_rooms",
    "rate_limited",
    "unavailable",
    "unknown_event",
    "malformed",
    "not_held",
    "other",
];

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
    pub(crate) unreadable_controls: Counter,
    pub(crate) delivered: Counter,
    pub(crate) volatile_sent: Counter,
    pub(crate) volatile_replaced: Counter,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            connects: ByCode::new(Role::ALL.map(Role::as_str)),
            connects_refused: ByCode::new(CONNECT_REFUSALS),
            handshakes_refused: ByCode::new(HANDSHAKE_REFUSALS),
            ends: ByCode::new(END_REASONS),
            events_refused: ByCode::new(EVENT_REFUSALS),
            joins: ByCode::new(["allowed", "denied", "unavailable"]),
            resets: ByCode::new(["epoch_changed", "too_old", "ahead", "malformed"]),
            catch_up_reads: ByCode::new(["window", "log"]),
            replayed: Counter::default(),
            credit_stalls: Counter::default(),
            appended: Counter::default(),
            append_errors: ByCode::new(["unavailable", "unknown"]),
            read_errors: Counter::default(),
            dispatched: Counter::default(),
            unreadable_controls: Counter::default(),
            delivered: Counter::default(),
            volatile_sent: Counter::default(),
            volatile_replaced: Counter::default(),
        }
    }
}
