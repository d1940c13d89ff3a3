//! The replay of one room that was just joined, up to the session's cursor.

use std::sync::Arc;

use super::{Outgoing, Session};
use crate::{
    Position, Room,
    log::{Entry, ResumeFacts, judge},
    node::Node,
};

/// Entries per read of the log. Small pages, because a page stays in memory until the client has
/// read the packets before it.
const ROOM_PAGE: usize = 32;

impl Session {
    /// Replays a room from `position` up to entry `upto`, where the membership begins. Waits for
    /// credit.
    ///
    /// Returns the number of entries that were handed over. Returns `None` if:
    ///
    /// - an entry after `position` is missing,
    /// - the user's replay budget is used up,
    /// - the log cannot be read, or has a new epoch, or
    /// - the session left the room, or joined another one, in the meantime.
    pub(super) async fn replay_room(
        &self,
        node: &Node,
        room: &Room,
        position: Position,
        upto: u64,
    ) -> Option<usize> {
        let rooms = std::slice::from_ref(room);
        let generation = self.state().read_generation();
        let mut after = self.judge_room(node, rooms, position).await?;
        let mut replayed = 0;
        loop {
            let page = node.log().read(Some(rooms), after, ROOM_PAGE).await.ok()?;
            if page.trimmed > after || page.epoch != position.epoch() {
                return None;
            }
            let wanted = page
                .entries
                .iter()
                .filter(|entry| entry.n() <= upto && entry.is_event());
            for entry in wanted {
                self.replay_room_entry(room, entry, generation).await?;
                replayed += 1;
                self.counters.replayed.add(1);
            }
            if page.scanned >= upto || page.entries.len() < ROOM_PAGE {
                return Some(replayed);
            }
            after = page.scanned;
        }
    }

    /// Returns the entry number after which the room can be replayed; `None` if `position` cannot
    /// be honoured.
    async fn judge_room(&self, node: &Node, rooms: &[Room], position: Position) -> Option<u64> {
        let user = &self.user;
        let limit = node.limits().replay_entries;
        if !node.replay_budget().charge_read(user) {
            return None;
        }
        let n = position.n();
        let history = node.log().history(n, rooms, limit + 1).await.ok()?;
        let facts = ResumeFacts::from_history(n, history);
        let resumable = judge(position, facts, limit).ok()?;
        if !node.replay_budget().charge(user, resumable.missed) {
            return None;
        }
        Some(resumable.after)
    }

    /// Hands over an entry as soon as there is credit for it. Returns `None` if the session left
    /// the room, or joined any room, in the meantime.
    async fn replay_room_entry(
        &self,
        room: &Room,
        entry: &Arc<Entry>,
        generation: u64,
    ) -> Option<()> {
        self.wait_for_credit(entry.content().size()).await;
        let mut state = self.state();
        if !state.may_replay_room(room) || state.read_generation() != generation {
            return None;
        }
        let outgoing = Outgoing::Entry(Arc::clone(entry), None);
        state.outbox_mut().push(outgoing);
        drop(state);
        self.port.wake();
        Some(())
    }
}
