//! Catching up: a session reads entries from its cursor to the head, from the window or from the
//! log, and is then live. Every reason to catch up takes this path.

use super::{
    Outgoing, Session,
    phase::PendingReady,
    recheck_request::{RecheckRequest, RecheckToDecide},
    retry::retry_log,
    state::SessionState,
    wire::{self, READY, ROOM_LEFT},
};
use crate::{
    AccessDecision, OrderId, Position, Room, crash_points,
    log::{Page, ResetReason},
    node::{CatchUpSource, Node},
    planted_faults::{Fault, planted},
};

/// Entries per read of the log.
const PAGE: usize = 128;

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
    /// Takes one step towards being live: starts the session if that is to be done, then hands over
    /// the next entries, as far as there is credit for them and no undecided recheck withholds
    /// them.
    pub(crate) async fn catch_up(&self, node: &Node) {
        let request = self.state().begin_start();
        if let Some(request) = request
            && let Err(error) = self.resume_or_start(node, request).await
        {
            return self.end_as_unavailable(&error);
        }
        self.reset_if_history_is_lost(node);
        let Some(from) = self.state().cursor() else {
            return;
        };
        let is_in_window = node.window().recent().reaches(from);
        if is_in_window {
            self.counters.catch_up_reads.add(CatchUpSource::Window);
            self.replay_window(node);
        } else {
            self.counters.catch_up_reads.add(CatchUpSource::Log);
            self.replay_log(node).await;
        }
    }

    /// Tells the client to reload if the session's history is gone.
    pub(super) fn reset_if_history_is_lost(&self, node: &Node) {
        let is_lost = self.state().is_resetting();
        if is_lost {
            self.reset(node, ResetReason::EpochChanged);
        }
    }
}

/// From the window.
impl Session {
    /// Hands over what the window has after the cursor, and goes live if that was everything.
    pub(super) fn replay_window(&self, node: &Node) {
        // Under both locks, so that nothing is dispatched between the last entry and going live.
        let mut state = self.state();
        let Some(limit) = state.replay_limit() else {
            return;
        };
        let recent = node.window().recent();
        let head = recent.head();
        if !state.is_in_epoch(head.epoch()) {
            return state.lose_history();
        }
        let Some(from) = state.cursor().filter(|from| recent.reaches(*from)) else {
            return;
        };
        let rooms: Vec<Room> = state.rooms().cloned().collect();
        let released = recent.after(from, rooms.iter());
        for entry in released.take_while(|entry| entry.n() <= limit) {
            if !state.wants_any(entry) {
                continue;
            }
            if !state.replay(entry) {
                return;
            }
            crash_points::point("mid-replay");
            self.counters.replayed.add(1);
        }
        if let Some(ready) = state.go_live(head.n()) {
            self.send_ready(&mut state, ready, rooms, head);
        }
        // If it does not go live: everything up to there was examined.
        state.advance_to(limit.min(head.n()));
    }

    /// Queues `rt:ready`, and before it the ack of `rt:resume`.
    fn send_ready(
        &self,
        state: &mut SessionState,
        ready: PendingReady,
        rooms: Vec<Room>,
        head: Position,
    ) {
        let PendingReady {
            recovered,
            replayed,
            resume_ack,
        } = ready;
        let recovered = recovered || planted(Fault::RecoveredAlways);
        if let Some(id) = resume_ack {
            let answer = wire::resumed(recovered, replayed);
            state.outbox_mut().push(Outgoing::Ack { id, answer });
        }
        let identity = self.identity();
        let payload = wire::ready(&identity.who, rooms, recovered, replayed, head);
        state
            .outbox_mut()
            .push(Outgoing::control_at(READY, payload, head));
    }
}

/// From the log.
impl Session {
    /// Hands over one page of the log, up to what this node has dispatched.
    async fn replay_log(&self, node: &Node) {
        let Some(read) = self.next_page_read(node) else {
            return;
        };
        match retry_log(|| node.log().read(Some(&read.rooms), read.from, PAGE)).await {
            Ok(page) => self.replay_page(node, &read, &page),
            Err(error) => self.end_as_unavailable(&error),
        }
    }

    /// Returns the read that continues from the cursor; `None` until there is one.
    pub(super) fn next_page_read(&self, node: &Node) -> Option<PageRead> {
        let state = self.state();
        Some(PageRead {
            from: state.cursor()?,
            rooms: state.rooms().cloned().collect(),
            generation: state.read_generation(),
            head: node.window().head(),
        })
    }

    /// Hands over a page that was read, or tells the client to reload if entries are missing.
    pub(super) fn replay_page(&self, node: &Node, read: &PageRead, page: &Page) {
        // The session may have been paused, or have lost a room, during the read. Neither the
        // page's entries nor its gaps count then.
        let limit = self.state().replay_limit();
        if limit.is_none() {
            return;
        }
        let is_same_epoch = page.epoch == read.head.epoch() && self.state().is_in_epoch(page.epoch);
        if !is_same_epoch {
            return self.state().lose_history();
        }
        if page.trimmed > read.from {
            return self.reset(node, ResetReason::TooOld);
        }
        self.replay_entries(read, page);
    }

    /// Hands over the entries of a page for which there is credit.
    fn replay_entries(&self, read: &PageRead, page: &Page) {
        let mut state = self.state();
        // A room that was joined during the read has no entries in the page.
        if state.read_generation() != read.generation {
            return;
        }
        let Some(limit) = state.replay_limit() else {
            return;
        };
        let upto = limit.min(read.head.n());
        for entry in page.entries.iter().filter(|entry| entry.n() <= upto) {
            if !state.wants_any(entry) {
                continue;
            }
            if !state.replay(entry) {
                return;
            }
            crash_points::point("mid-replay");
            self.counters.replayed.add(1);
        }
        state.advance_to(page.scanned.min(upto));
    }
}

/// Rechecks.
impl Session {
    /// Asks the policy for a recheck, and leaves the room that it denies, or cannot decide in time.
    /// All rechecks of a session are decided at the same time, each from its own request on. Until
    /// then nothing later of any room is handed over: one cursor serves them all. If a client had a
    /// later position, and the policy allowed the room after all, it would never receive what the
    /// room has up to there.
    pub(super) async fn decide_recheck(&self, node: &Node, recheck: RecheckToDecide) {
        let RecheckToDecide { order, request, .. } = &recheck;
        match self.ask_again(node, &recheck).await {
            Some(AccessDecision::Allowed) => self.state().finish_recheck(order, *request),
            Some(AccessDecision::Denied) => {
                self.revoke_room(node, order, *request, "access_revoked");
            }
            None => self.revoke_room(node, order, *request, "unavailable"),
        }
        self.decided.notify_waiters();
    }

    /// Asks the policy for a recheck. If the session has another role by the time of the answer,
    /// asks once more: the answer was about the old one.
    async fn ask_again(&self, node: &Node, recheck: &RecheckToDecide) -> Option<AccessDecision> {
        let RecheckToDecide {
            order,
            requested_at,
            ..
        } = recheck;
        loop {
            let identity = self.identity();
            let decision = node.decide_recheck(&identity.who, order, *requested_at);
            let decision = decision.await;
            if identity.who.role == self.role() {
                return decision;
            }
        }
    }

    /// Removes the session from the order's room, and tells the client why. Does nothing if the
    /// client has left the room since the request: it may be in it again, by a later decision.
    pub(super) fn revoke_room(
        &self,
        node: &Node,
        order: &OrderId,
        request: RecheckRequest,
        reason: &'static str,
    ) {
        let is_open = self.state().is_recheck_open(order, request);
        if !is_open {
            return;
        }
        let room = Room::Order(order.clone());
        // Before the state is locked: the registry's lock is taken before a session's.
        node.leave(self, &room);
        let mut state = self.state();
        let was_in_room = state.is_in(&room);
        // Ends all requests for the order.
        state.leave(&room);
        if was_in_room && !planted(Fault::RoomLeftUntold) {
            let payload = wire::room_left(&room, reason);
            state
                .outbox_mut()
                .push(Outgoing::control(ROOM_LEFT, payload));
        }
        drop(state);
        self.port.wake();
    }
}
