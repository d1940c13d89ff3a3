//! Catching up: a session reads entries from its cursor to the head, from the window or from the
//! log, and is then live. Every reason to catch up takes this path.

use super::{
    Outgoing, Session, Start,
    rechecks::RecheckRequest,
    retry::retry_log,
    state::SessionState,
    wire::{self, READY, ROOM_LEFT},
};
use crate::{
    AccessDecision, OrderId, Position, Room, crash_points,
    log::{Page, ResetReason},
    node::{CatchUpSource, Node},
};

/// Entries per read of the log.
const PAGE: usize = 128;

/// How often a recheck that cannot be decided is tried before the session leaves the room.
const RECHECK_TRIES: u32 = 3;

/// A read of one page of the log.
pub(super) struct PageRead {
    /// The session's cursor: the page begins after this entry.
    pub(super) from: u64,
    pub(super) rooms: Vec<Room>,
    /// The state's [`read_generation`](SessionState::read_generation) when the read began.
    generation: u64,
    /// The last entry that this node had dispatched when the read began. Entries after it are not
    /// taken from the page: the dispatcher or the window will offer them.
    head: Position,
}

impl Session {
    /// Takes one step towards being live: decides the pending rechecks, then hands over the next
    /// entries, as far as there is credit for them.
    pub(crate) async fn catch_up(&self, node: &Node, start: &mut Start) {
        self.decide_rechecks(node).await;
        if !start.cursor_is_set && !self.resume_or_start(node, start).await {
            return;
        }
        self.reset_if_history_is_lost(node, start);
        let from = self.state().cursor();
        let is_in_window = node.window().recent().reaches(from);
        if is_in_window {
            self.counters.catch_up_reads.add(CatchUpSource::Window);
            self.replay_window(node, start);
        } else {
            self.counters.catch_up_reads.add(CatchUpSource::Log);
            self.replay_log(node, start).await;
        }
    }

    /// Tells the client to reload if the session's history is gone.
    pub(super) fn reset_if_history_is_lost(&self, node: &Node, start: &mut Start) {
        let lost = self.state().take_pending_reset();
        if let Some(reason) = lost {
            start.restart_after_reset();
            self.reset(node, reason);
        }
    }
}

/// From the window.
impl Session {
    /// Hands over what the window has after the cursor, and goes live if that was everything.
    pub(super) fn replay_window(&self, node: &Node, start: &mut Start) {
        // Under both locks, so that nothing is dispatched between the last entry and going live.
        let mut state = self.state();
        if !state.may_replay() {
            return;
        }
        let recent = node.window().recent();
        let head = recent.head();
        if !state.is_in_epoch(head.epoch()) {
            return state.lose_history(ResetReason::EpochChanged);
        }
        if !recent.reaches(state.cursor()) {
            return;
        }
        let rooms: Vec<Room> = state.rooms().cloned().collect();
        for entry in recent.after(state.cursor(), rooms.iter()) {
            if !state.wants_any(entry) {
                continue;
            }
            if !state.replay(entry) {
                return;
            }
            crash_points::point("mid-replay");
            start.replayed += 1;
            self.counters.replayed.add(1);
        }
        state.advance_to(head.n());
        state.go_live();
        if !start.ready_sent {
            self.send_ready(&mut state, start, rooms, head);
        }
    }

    /// Queues `rt:ready`, and before it the ack of `rt:resume`.
    fn send_ready(
        &self,
        state: &mut SessionState,
        start: &mut Start,
        rooms: Vec<Room>,
        head: Position,
    ) {
        start.ready_sent = true;
        let recovered = start.recovered;
        let replayed = start.replayed;
        if let Some(id) = start.resume_ack.take() {
            let answer = wire::resumed(recovered, replayed);
            state.outbox_mut().push(Outgoing::Ack { id, answer });
        }
        let payload = wire::ready(&self.identity, rooms, recovered, replayed, head);
        state
            .outbox_mut()
            .push(Outgoing::control_at(READY, payload, head));
    }
}

/// From the log.
impl Session {
    /// Hands over one page of the log, up to what this node has dispatched.
    async fn replay_log(&self, node: &Node, start: &mut Start) {
        let read = self.next_page_read(node);
        match retry_log(|| node.log().read(Some(&read.rooms), read.from, PAGE)).await {
            Ok(page) => self.replay_page(node, start, &read, &page),
            Err(error) => self.end_as_unavailable(&error),
        }
    }

    /// Returns the read that continues from the cursor.
    pub(super) fn next_page_read(&self, node: &Node) -> PageRead {
        let state = self.state();
        PageRead {
            from: state.cursor(),
            rooms: state.rooms().cloned().collect(),
            generation: state.read_generation(),
            head: node.window().head(),
        }
    }

    /// Hands over a page that was read, or tells the client to reload if entries are missing.
    pub(super) fn replay_page(&self, node: &Node, start: &mut Start, read: &PageRead, page: &Page) {
        // The session may have been paused, or have lost a room, during the read. Neither the
        // page's entries nor its gaps count then.
        if !self.state().may_replay() {
            return;
        }
        let is_same_epoch = page.epoch == read.head.epoch() && self.state().is_in_epoch(page.epoch);
        if !is_same_epoch {
            return self.state().lose_history(ResetReason::EpochChanged);
        }
        if page.trimmed > read.from {
            start.restart_after_reset();
            return self.reset(node, ResetReason::TooOld);
        }
        start.replayed += self.replay_entries(read, page);
    }

    /// Hands over the entries of a page for which there is credit. Returns how many that were.
    fn replay_entries(&self, read: &PageRead, page: &Page) -> usize {
        let head = read.head.n();
        let mut state = self.state();
        // A room that was joined during the read has no entries in the page.
        if !state.may_replay() || state.read_generation() != read.generation {
            return 0;
        }
        let mut replayed = 0;
        for entry in page.entries.iter().filter(|entry| entry.n() <= head) {
            if !state.wants_any(entry) {
                continue;
            }
            if !state.replay(entry) {
                return replayed;
            }
            crash_points::point("mid-replay");
            replayed += 1;
            self.counters.replayed.add(1);
        }
        state.advance_to(page.scanned.min(head));
        replayed
    }
}

/// Rechecks.
impl Session {
    /// Asks the policy for every pending recheck, one by one, and leaves the rooms that it denies.
    async fn decide_rechecks(&self, node: &Node) {
        loop {
            let next = self.state().next_recheck();
            let Some((order, request)) = next else {
                return;
            };
            match node.decide(&self.identity, &order, RECHECK_TRIES).await {
                Some(AccessDecision::Allowed) => self.state().finish_recheck(&order, request),
                Some(AccessDecision::Denied) => {
                    self.revoke_room(node, &order, request, "access_revoked");
                }
                None => self.revoke_room(node, &order, request, "unavailable"),
            }
        }
    }

    /// Removes the session from the order's room, and tells the client why.
    pub(super) fn revoke_room(
        &self,
        node: &Node,
        order: &OrderId,
        request: RecheckRequest,
        reason: &'static str,
    ) {
        let room = Room::Order(order.clone());
        // Before the state is locked: the registry's lock is taken before a session's.
        node.leave(self, &room);
        let mut state = self.state();
        state.finish_recheck(order, request);
        if state.is_in(&room) {
            state.leave(&room);
            let payload = wire::room_left(order, reason);
            state
                .outbox_mut()
                .push(Outgoing::control(ROOM_LEFT, payload));
        }
        drop(state);
        self.port.wake();
    }
}
