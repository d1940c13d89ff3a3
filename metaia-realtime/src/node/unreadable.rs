//! Control entries that this node cannot read: damaged ones, and kinds that only newer nodes know.
//!
//! Such an entry may have been any instruction. So the access of all sessions to their order rooms
//! is decided again, and connections that are not registered yet are refused, whose clients then
//! reconnect. No session ends. See "Control entries that cannot be read" in `docs/internals.md`.
//!
//! A *round* of decisions on all access is expensive. It serves all entries that the log has when
//! it begins, since the policy is asked afterwards. The next round begins 2 s later
//! (`ROUND_INTERVAL`), and not before all decisions are made: if they were requested again earlier,
//! sessions would be handed nothing while such entries keep coming, and no join would end. A policy
//! that takes longer than 8 s (`MAX_ROUND_TIME`) is not waited for. The dispatcher waits for the
//! next round before the entry that needs it; what precedes the entry is dispatched at once.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::{Node, registry::Registry};
use crate::{
    Position,
    log::{Entry, EntryKind},
    values::Epoch,
};

/// The least time from the beginning of one round to the next.
const ROUND_INTERVAL: Duration = Duration::from_secs(2);

/// The time after which the next round begins although decisions are missing. It is less than the
/// 10 s that [`Node::up_to_date`] waits for the dispatcher, so that clients can connect and join.
const MAX_ROUND_TIME: Duration = Duration::from_secs(8);

/// The pause between two looks of a waiting dispatcher for decisions that are not made yet.
const DECIDED_CHECK_INTERVAL: Duration = Duration::from_millis(50);

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
    async fn wait_for_next(&self, registry: &Registry) {
        let last = *self.0.lock();
        if let Some(round) = last {
            tokio::time::sleep_until(round.began_at + ROUND_INTERVAL).await;
            let decided = wait_until_decided(registry);
            // A round that takes too long is not waited for.
            let end = round.began_at + MAX_ROUND_TIME;
            tokio::time::timeout_at(end, decided).await.ok();
        }
    }
}

/// Waits until no access is being decided again. The dispatcher requests nothing meanwhile.
async fn wait_until_decided(registry: &Registry) {
    while registry.is_deciding_again() {
        tokio::time::sleep(DECIDED_CHECK_INTERVAL).await;
    }
}

/// Returns the entries at the beginning of `entries` that may be dispatched: those before an
/// unreadable entry that needs a round. If it is the first, waits until the round may begin, and
/// returns all: the round serves them. Cancel safe.
pub(super) async fn wait_for_round<'a>(node: &Node, entries: &'a [Arc<Entry>]) -> &'a [Arc<Entry>] {
    let needs_round = |entry: &Arc<Entry>| match entry.kind() {
        EntryKind::Unreadable => node.access_rounds.is_needed(entry.position()),
        EntryKind::Event | EntryKind::Control(_) => false,
    };
    match entries.iter().position(needs_round) {
        None => entries,
        Some(0) => {
            node.access_rounds.wait_for_next(&node.registry).await;
            entries
        }
        Some(ready) => &entries[..ready],
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

/// Applies an unreadable entry that is never dispatched, as far as it concerns connections that are
/// not registered yet. The log was read up to `log_head`. The caller requests that access to all
/// order rooms be decided again.
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
