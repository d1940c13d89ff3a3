//! Rounds of decisions on all access: every session decides again for each of its order rooms.
//!
//! A round is needed if entries may have changed the access of anybody, and it is not known how:
//! after control entries that this node cannot read (see [`unreadable`](super::unreadable)), and
//! after holes, which may have had control entries in them.
//!
//! A round is expensive. It serves all entries that the log has when it begins, since the policy is
//! asked afterwards. The next round begins 2 s later (`ROUND_INTERVAL`), and not before all
//! decisions are made: if they were requested again earlier, sessions would be handed nothing while
//! such entries keep coming, and no join would end. A policy that takes longer than 8 s
//! (`MAX_ROUND_TIME`) is not waited for. The dispatcher waits for the next round before the entry
//! that needs it; what precedes the entry is dispatched at once.

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

/// The last round of one node.
#[derive(Default)]
pub(crate) struct AccessRounds(Mutex<Option<AccessRound>>);

#[derive(Debug, Clone, Copy)]
struct AccessRound {
    began_at: Instant,
    epoch: Epoch,
    /// The number of the last entry that the log had when the round began.
    serves_upto: u64,
    /// An unreadable entry that it serves was reported.
    is_reported: bool,
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
    pub(super) fn begin(&self, entry: Position, log_head: u64) -> bool {
        let mut last = self.0.lock();
        if last.is_some_and(|round| round.serves(entry)) {
            return false;
        }
        *last = Some(AccessRound {
            began_at: Instant::now(),
            epoch: entry.epoch(),
            serves_upto: entry.n().max(log_head),
            is_reported: false,
        });
        true
    }

    /// Returns whether an unreadable entry of the last round is to be reported: the first one is.
    pub(super) fn begin_report(&self) -> bool {
        let mut last = self.0.lock();
        last.as_mut()
            .is_some_and(|round| !std::mem::replace(&mut round.is_reported, true))
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

/// Returns the entries at the beginning of `entries`, which follow entry `after`, that may be
/// dispatched: those before an entry that needs a round. If it is the first, waits until the round
/// may begin, and returns all: the round serves them. Cancel safe.
pub(super) async fn wait_for_round<'a>(
    node: &Node,
    after: u64,
    entries: &'a [Arc<Entry>],
) -> &'a [Arc<Entry>] {
    let mut expected = after + 1;
    let needs_round = |entry: &Arc<Entry>| {
        let follows_hole = entry.n() != expected;
        expected = entry.n() + 1;
        let is_unclear = follows_hole || *entry.kind() == EntryKind::Unreadable;
        is_unclear && node.access_rounds.is_needed(entry.position())
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

/// Begins a round for the entry at `at`, or for the hole before it, unless one serves it. Every
/// session was offered everything up to `offered`.
pub(super) fn begin(node: &Node, at: Position, offered: u64) {
    // Read before the round begins: its decisions then know of everything up to here.
    let log_head = *node.log.changes().borrow();
    if node.access_rounds.begin(at, log_head) {
        node.registry.recheck_all(offered);
    }
}
