//! Control entries that this node cannot read: damaged ones, and kinds that only newer nodes know.
//!
//! Such an entry may have been any instruction. So the access of all sessions to their order rooms
//! is decided again, and connections that are not registered yet are refused, whose clients then
//! reconnect. No session ends. See "Control entries that cannot be read" in `docs/internals.md`.
//!
//! A *round* of decisions on all access is expensive. It serves all entries that the log has when
//! it begins, since the policy is asked afterwards. Rounds begin 2 s apart (`ROUND_INTERVAL`) or
//! more: the dispatcher waits before it goes on to an entry that needs the next one.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::Node;
use crate::{
    Position,
    log::{Entry, EntryKind, Page},
    values::Epoch,
};

/// The time from the beginning of one round to the next. [`Node::up_to_date`] waits for 10 s, so
/// that it outlasts several.
const ROUND_INTERVAL: Duration = Duration::from_secs(2);

/// The most characters of an entry's name in a log line: the name is whatever was stored.
const MAX_KIND_CHARS: usize = 64;

/// The last round of one node.
#[derive(Default)]
pub(crate) struct AccessRounds(Mutex<Option<AccessRound>>);

#[derive(Debug, Clone, Copy)]
struct AccessRound {
    began_at: Instant,
    epoch: Epoch,
    /// The number of the last entry that the log had when the round began.
    serves_upto: u64,
}

impl AccessRound {
    fn serves(&self, entry: Position) -> bool {
        self.epoch == entry.epoch() && entry.n() <= self.serves_upto
    }
}

impl AccessRounds {
    /// Returns whether the entry needs a round that has not begun.
    fn is_needed(&self, entry: Position) -> bool {
        self.0.lock().is_none_or(|round| !round.serves(entry))
    }

    /// Begins a round for the entry if it needs one, and returns whether it did. The log has
    /// entries up to `log_head`.
    fn begin(&self, entry: Position, log_head: u64) -> bool {
        let mut last = self.0.lock();
        if last.is_some_and(|round| round.serves(entry)) {
            return false;
        }
        *last = Some(AccessRound {
            began_at: Instant::now(),
            epoch: entry.epoch(),
            serves_upto: entry.n().max(log_head),
        });
        true
    }

    /// Waits until a round may begin.
    async fn wait_for_next(&self) {
        let last = *self.0.lock();
        if let Some(round) = last {
            tokio::time::sleep_until(round.began_at + ROUND_INTERVAL).await;
        }
    }
}

/// Waits until the page may be dispatched: at once, unless it has an unreadable entry that needs a
/// round. Cancel safe.
pub(super) async fn wait_for_round(node: &Node, page: &Page) {
    let needs_round = |entry: &Entry| match entry.kind() {
        EntryKind::Unreadable => node.access_rounds.is_needed(entry.position()),
        EntryKind::Event | EntryKind::Control(_) => false,
    };
    if page.entries.iter().any(|entry| needs_round(entry)) {
        node.access_rounds.wait_for_next().await;
    }
}

/// Applies an unreadable entry that is dispatched. Every session was offered everything up to
/// `offered`.
pub(super) fn apply(node: &Node, entry: &Entry, offered: u64) {
    // Read before the round begins: its decisions then know of everything up to here.
    let log_head = *node.log.changes().borrow();
    if note(node, entry, log_head) {
        node.registry.recheck_all(offered);
    }
}

/// Applies an unreadable entry that was appended before the node could first read its log, up to
/// `log_head`. Access to all order rooms is being decided again already.
pub(super) fn note_missed(node: &Node, entry: &Entry, log_head: u64) {
    note(node, entry, log_head);
}

/// Counts and reports an unreadable entry, and refuses the connections that it may have
/// disconnected. Returns whether access to all order rooms is to be decided again now, in a round
/// that serves the entries up to `log_head`.
fn note(node: &Node, entry: &Entry, log_head: u64) -> bool {
    node.counters.unreadable_controls.add(1);
    node.disconnects.restart_after(entry.position());
    let begins_round = node.access_rounds.begin(entry.position(), log_head);
    // One line for each round: there may be many entries.
    if begins_round {
        tracing::error!(
            position = %entry.position(),
            kind = kind_text(entry.content().name()),
            "a control entry cannot be read: it is damaged, or a newer node wrote it; \
             access to all order rooms is decided again, and no session ends"
        );
    }
    begins_round
}

/// Returns the name of an entry for a log line.
fn kind_text(name: &str) -> String {
    name.escape_debug().take(MAX_KIND_CHARS).collect()
}
