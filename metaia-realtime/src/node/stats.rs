//! The counters and durations of a node since it began, and its present state: for `/metrics`, for
//! the admin's view, and for tests.
//!
//! The table at the end declares each number once: its member in [`NodeStats`], its counter, and
//! its metric. Besides it, `docs/operations.md` describes the metric.

use serde::Serialize;

use super::{
    Node,
    counted::{AppendFailure, CatchUpSource, JoinOutcome},
    counter::{ByCode, ByCodeOrOther, Codes, Counter, with_unused},
    latencies::{Histograms, Latencies, LatencyNumbers},
    metrics::{Metric, MetricKind, MetricValue},
    refusals::RecentRefusals,
};
use crate::{
    Role,
    auth::AuthError,
    log::ResetReason,
    node::HandshakeRefusal,
    session::{EndReason, EventRefusal, RefreshRefusal},
};

/// The numbers that are read from a node's parts when they are asked for.
struct PresentNumbers {
    sessions: Codes,
    rooms: u64,
    users: u64,
    revocations: u64,
    revocations_age: u64,
    log_head: u64,
    lag: u64,
}

impl PresentNumbers {
    fn read(node: &Node) -> Self {
        let (rooms, users, _) = node.registry.sizes();
        let sessions = Role::ALL.map(|role| (role.as_str(), node.registry.of_role(role)));
        let log_head = *node.log.changes().borrow();
        let dispatched = node.window.dispatched().n();
        Self {
            sessions: Codes::from(sessions),
            rooms: rooms as u64,
            users: users as u64,
            revocations: node.revocations.len() as u64,
            revocations_age: node.revocations.age().as_secs(),
            log_head,
            lag: log_head.saturating_sub(dispatched),
        }
    }
}

/// Returns the numbers of a member of [`NodeStats`] for a [`Metric`].
trait MetricNumbers {
    fn value(&self, label: Option<&'static str>) -> MetricValue<'_>;
}

impl MetricNumbers for u64 {
    fn value(&self, _: Option<&'static str>) -> MetricValue<'_> {
        MetricValue::Single(*self)
    }
}

impl MetricNumbers for Codes {
    fn value(&self, label: Option<&'static str>) -> MetricValue<'_> {
        MetricValue::ByLabel {
            label: label.unwrap_or("code"),
            values: self,
        }
    }
}

impl MetricNumbers for Histograms {
    fn value(&self, label: Option<&'static str>) -> MetricValue<'_> {
        MetricValue::HistogramByLabel {
            label: label.unwrap_or("code"),
            values: self,
        }
    }
}

/// Makes [`Counters`] and [`NodeStats`]. The metrics are in the order of the table.
///
/// A row of `present` is a member of [`PresentNumbers`], a row of `timed` one of
/// [`LatencyNumbers`]; a row of `counted` has a counter of the given type. After `=>` follow the
/// name of the metric, its label if it has one, and its help.
/// `unused` are series that stay at zero: alerts and dashboards may name them.
macro_rules! node_stats {
    ($(
        present {
            $(
                $(#[$gauge_doc:meta])*
                $gauge:ident: $gauge_type:ty
                    => $gauge_name:literal $(by $gauge_label:literal)?, $gauge_help:literal;
            )+
        }
        counted {
            $(
                $(#[$doc:meta])*
                $count:ident: $type:ty = $counter:ty
                    => $name:literal $(by $label:literal)?, $help:literal
                    $(, unused $unused:tt)?;
            )+
        }
    )+
        timed {
            $(
                $(#[$time_doc:meta])*
                $time:ident => $time_name:literal by $time_label:literal, $time_help:literal;
            )+
        }
    ) => {
        /// The counters of one node, its durations, and its last refusals.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            pub(crate) latencies: Latencies,
            pub(super) refusals: RecentRefusals,
            $($(pub(crate) $count: $counter,)+)+
        }

        /// The counters and durations of one node since it was built, and its present state. Every
        /// number only grows, and is never reset, except those that are said to be present ones.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "camelCase")]
        #[non_exhaustive]
        pub struct NodeStats {
            $(
                $($(#[$gauge_doc])* pub $gauge: $gauge_type,)+
                $($(#[$doc])* pub $count: $type,)+
            )+
            $($(#[$time_doc])* pub $time: Histograms,)+
        }

        impl NodeStats {
            pub(crate) fn from_node(node: &Node) -> Self {
                let counted = &*node.counters;
                let present = PresentNumbers::read(node);
                let timed = LatencyNumbers::read(node);
                Self {
                    $(
                        $($gauge: present.$gauge,)+
                        $($count: {
                            let read = counted.$count.read();
                            $(let read = with_unused(read, &$unused);)?
                            read
                        },)+
                    )+
                    $($time: timed.$time,)+
                }
            }

            /// Returns every number as a metric, for the exporter of a monitoring system.
            #[must_use]
            pub fn metrics(&self) -> Vec<Metric<'_>> {
                Vec::from([$(
                    $(Metric {
                        name: $gauge_name,
                        help: $gauge_help,
                        kind: MetricKind::Gauge,
                        value: self.$gauge.value(node_stats!(@label $($gauge_label)?)),
                    },)+
                    $(Metric {
                        name: $name,
                        help: $help,
                        kind: MetricKind::Counter,
                        value: self.$count.value(node_stats!(@label $($label)?)),
                    },)+
                )+
                $(Metric {
                    name: $time_name,
                    help: $time_help,
                    kind: MetricKind::Histogram,
                    value: self.$time.value(node_stats!(@label $time_label)),
                },)+])
            }
        }
    };
    (@label) => { None };
    (@label $label:literal) => { Some($label) };
}

node_stats! {
    present {
        /// Present sessions, by role.
        sessions: Codes => "sessions" by "role", "Current sessions";
        /// Present rooms: those with at least one session.
        rooms: u64 => "rooms", "Rooms with at least one session";
        /// Present users: those with at least one session.
        users: u64 => "users", "Users with at least one session";
    }
    counted {
        /// Sessions that were admitted, by role.
        connects: Codes = ByCode<Role> => "connects" by "role", "Sessions started";
        /// Connections that were refused, by the code of their `connect_error`.
        connects_refused: Codes = ByCode<AuthError>
            => "connects_refused" by "code",
            "Connections refused, by the code of their connect_error", unused ["other"];
        /// Handshakes refused before they began, by cause.
        handshakes_refused: Codes = ByCode<HandshakeRefusal>
            => "handshakes_refused" by "code",
            "Handshakes refused before a connection began", unused ["other"];
        /// Sessions that ended, by reason: see [`EndReason`](crate::EndReason). `shutdown`
        /// and `other` stay at 0: no reason has these codes.
        ends: Codes = ByCode<EndReason>
            => "session_ends" by "code", "Sessions ended",
            unused ["other", "shutdown"];
        /// Events from clients that were refused, by code. `other` are the codes of an embedder's
        /// handlers.
        events_refused: Codes = ByCodeOrOther<EventRefusal>
            => "client_events_refused" by "code", "Events of clients that were refused";
        /// Sessions that went on with a new token (`rt:refresh`).
        refreshes: u64 = Counter => "token_refreshes", "Sessions that went on with a new token";
        /// Refreshes that were refused, by the code of the answer.
        refreshes_refused: Codes = ByCode<RefreshRefusal>
            => "token_refreshes_refused" by "code", "Refreshes of tokens that were refused";
        /// Joins of order rooms, by the policy's decision: `allowed`, `denied`, or `unavailable`.
        joins: Codes = ByCode<JoinOutcome>
            => "joins" by "result", "Joins of order rooms, by the decision";
        /// Resets (clients that were told to reload), by reason.
        resets: Codes = ByCode<ResetReason> => "resets" by "reason", "Clients told to reload";
        /// Steps of sessions that were catching up, by what they read: `window` or `log`.
        catch_up_reads: Codes = ByCode<CatchUpSource>
            => "catch_up_reads" by "source",
            "Reads of sessions that were catching up, by their source";
        /// Entries that were handed to sessions while catching up.
        replayed: u64 = Counter
            => "replayed_entries", "Entries delivered to sessions that were catching up";
        /// The number of times that a live session fell behind because its client read too slowly.
        credit_stalls: u64 = Counter
            => "credit_stalls", "Live sessions whose client read too slowly to stay live";
        /// Entries appended through this node's handle. Entries that are appended in transactions
        /// beside it are not counted.
        appended: u64 = Counter
            => "appended_entries", "Entries appended through this node's handle";
        /// Failed appends through this node's handle: `unavailable` if nothing was stored,
        /// `unknown` if the entries may have been stored.
        append_errors: Codes = ByCode<AppendFailure>
            => "append_errors" by "code", "Failed appends through this node's handle";
        /// Reads of the log by the dispatcher that failed.
        read_errors: u64 = Counter => "log_read_errors", "Failed reads of the dispatcher";
        /// Entries dispatched.
        dispatched: u64 = Counter => "dispatched_entries", "Entries dispatched";
        /// Control entries that this node could not read: they are damaged, or a newer version
        /// wrote them.
        unreadable_controls: u64 = Counter
            => "unreadable_control_entries", "Control entries that this node could not read";
        /// Entries that were handed to transports. An entry counts once for each session.
        delivered: u64 = Counter
            => "delivered_entries", "Entries handed to transports, per session";
    }
    present {
        /// Present revocations: the records of revoked tokens, users and everyone that this node
        /// knows.
        revocations: u64 => "revocations", "Records of revoked tokens that this node knows";
        /// The whole seconds since this node last read the revocations of other nodes; 0 if it is
        /// the only one that writes them. From 5 on, and before the first read, it authenticates no
        /// client.
        revocations_age: u64
            => "revocations_age_seconds",
            "Time since the revocations of other nodes were last read";
        /// The number of the log's last entry that this node knows of at present.
        log_head: u64 => "log_head_entries", "The number of the log's last entry";
        /// The number of entries up to `log_head` that are not dispatched at present.
        lag: u64 => "dispatch_lag_entries", "Entries of the log that are not dispatched yet";
    }
    counted {
        /// Volatile events that were sent through this node's handle.
        volatile_sent: u64 = Counter
            => "volatile_sent", "Volatile events sent through this node's handle";
        /// Volatile events that were dropped in a session, for a newer one of their key or because
        /// too many waited.
        volatile_replaced: u64 = Counter
            => "volatile_replaced", "Volatile events dropped for a newer one or a full queue";
    }
    timed {
        /// The time from the commit of an entry until it was handed to a transport, by transport:
        /// `websocket` or `polling`. Each session that is live counts once for each entry. What is
        /// handed over while catching up does not count.
        ///
        /// The commit is known exactly for an entry that was appended through this node's log, if
        /// that is one of this crate's. Otherwise (another node appended it, or a transaction
        /// beside the log, or the log is your own) it is the time that the entry has
        /// ([`Entry::ts`](crate::log::Entry::ts)), compared with this node's clock: precise to 1 ms
        /// plus the difference of the two clocks, and never negative.
        commit_to_hand_over
            => "commit_to_hand_over_seconds" by "transport",
            "Time from the commit of an entry until it was handed to a transport";
        /// The time from the commit of an entry until its last byte was written to the socket, in
        /// the same way as [`commit_to_hand_over`](Self::commit_to_hand_over). For a client that
        /// polls, it ends when the answer to a poll passes the entry to the HTTP connection. An
        /// entry that is never written does not count.
        commit_to_write
            => "commit_to_write_seconds" by "transport",
            "Time from the commit of an entry until it was written to a socket";
        /// The time for which a publish through this node's handle waited for its commit, by the
        /// [name](crate::EventLog::name) of the log. Publishes that failed do not count.
        publish_to_commit
            => "publish_to_commit_seconds" by "log",
            "Time from a publish through this node's handle to its commit";
    }
}
