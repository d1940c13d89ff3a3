//! Catching up: from a cursor to the head, once, whatever made it necessary.

use std::sync::Arc;

use super::{
    End, Outgoing, Session,
    control::{self, READY, RESET, ROOM_LEFT},
};
use crate::{
    Access, OrderId, Position, Room,
    log::{Entry, LogError, ResetReason, judge},
    node::Node,
};

/// How many entries one read of the log asks for, once the first has shown that there are not too many.
const PAGE: usize = 128;

/// How often a recheck that cannot be decided is tried before the room is taken away.
const RECHECK_TRIES: u32 = 3;

/// How a connection begins: where it wants to go on, and what came of it.
#[derive(Debug)]
pub(crate) struct Start {
    since: Option<Result<Position, ResetReason>>,
    /// Set when a position was honoured.
    recovered: bool,
    replayed: usize,
    begun: bool,
    ready: bool,
}

impl Start {
    /// `since`: the position the client showed, if any, or that it was none.
    pub(crate) fn new(since: Option<Result<Position, ResetReason>>) -> Self {
        Self { since, recovered: false, replayed: 0, begun: false, ready: false }
    }

    /// Whether it is known where the session goes on.
    pub(super) const fn has_begun(&self) -> bool {
        self.begun
    }
}

impl Session {
    /// One step towards being live: decides what is to be decided, then hands over what fits.
    pub(crate) async fn catch_up(&self, node: &Node, start: &mut Start) {
        self.decide_rechecks(node).await;
        if !start.begun && !self.begin(node, start).await {
            return;
        }
        let from = self.state().cursor();
        let in_window = node.window.recent().reaches(from);
        if in_window {
            self.replay_window(node, start);
        } else {
            self.replay_page(node, start).await;
        }
    }

    /// Judges the position that the client showed, and sets the cursor. What the log had by then is dispatched before
    /// anything is handed over, so that `rt:ready` is never behind what the client has seen elsewhere.
    async fn begin(&self, node: &Node, start: &mut Start) -> bool {
        start.begun = true;
        let Some(since) = start.since.take() else { return true };
        let judged = async {
            node.up_to_date().await?;
            match since {
                Ok(position) => self.resume(node, position).await,
                Err(reason) => Ok(Err(reason)),
            }
        };
        match judged.await {
            Ok(Ok(n)) => {
                start.recovered = true;
                self.state().set_cursor(n);
            }
            Ok(Err(reason)) => self.reset(node, reason),
            Err(error) => {
                self.end_unread(&error);
                return false;
            }
        }
        true
    }

    fn end_unread(&self, error: &LogError) {
        tracing::warn!(session = %self.id, error = error as &dyn std::error::Error, "the log cannot be read");
        self.end(End::Unavailable);
    }

    /// Where to go on after `position`, if nothing is missing and there is not too much of it.
    async fn resume(&self, node: &Node, position: Position) -> Result<Result<u64, ResetReason>, LogError> {
        let rooms: Vec<Room> = self.rooms().into_iter().collect();
        let limit = node.limits.replay_entries;
        Ok(judge(position, node.log.history(position.n(), &rooms, limit + 1).await?, limit))
    }

    /// Tells the client to reload, and goes on from the head.
    fn reset(&self, node: &Node, reason: ResetReason) {
        let mut state = self.state();
        let head = node.window.head();
        state.set_cursor(head.n());
        state.push(Outgoing::Control { name: RESET, payload: control::reset(reason.code(), head) });
    }

    /// Hands over what the window has, and goes live where that was all: under both locks, so that nothing comes
    /// between.
    pub(super) fn replay_window(&self, node: &Node, start: &mut Start) {
        let mut state = self.state();
        if !state.may_replay() {
            return;
        }
        let recent = node.window.recent();
        if !recent.reaches(state.cursor()) {
            return;
        }
        for entry in recent.after(state.cursor()) {
            if state.wants_any(entry) {
                if !state.replay(entry) {
                    return;
                }
                start.replayed += 1;
            }
        }
        state.skip_to(recent.head().n());
        state.go_live();
        if !start.ready {
            start.ready = true;
            let at = recent.head();
            let payload = control::ready(&self.identity, state.rooms(), start.recovered, start.replayed, at);
            state.push(Outgoing::Control { name: READY, payload });
        }
    }

    /// Hands over a page of the log, up to what this node has dispatched.
    async fn replay_page(&self, node: &Node, start: &mut Start) {
        let (from, rooms, joins) = {
            let state = self.state();
            (state.cursor(), state.rooms().cloned().collect::<Vec<_>>(), state.joins())
        };
        let head = node.window.head().n();
        let page = match node.log.read(Some(&rooms), from, PAGE).await {
            Ok(page) => page,
            Err(error) => return self.end_unread(&error),
        };
        if page.trimmed > from {
            // A client that was live once is told `rt:ready` again when it is live again.
            (start.recovered, start.ready, start.replayed) = (false, false, 0);
            return self.reset(node, ResetReason::TooOld);
        }
        start.replayed += self.replay_entries(&page.entries, page.scanned.min(head), head, joins);
    }

    /// Hands over what was read, unless a room was joined meanwhile: its entries are not among these then.
    pub(super) fn replay_entries(
        &self,
        entries: &[Arc<Entry>],
        scanned: u64,
        head: u64,
        joins: u64,
    ) -> usize {
        let mut state = self.state();
        if !state.may_replay() || state.joins() != joins {
            return 0;
        }
        let mut replayed = 0;
        for entry in entries.iter().filter(|entry| entry.n() <= head) {
            if state.wants_any(entry) {
                if !state.replay(entry) {
                    return replayed;
                }
                replayed += 1;
            }
        }
        state.skip_to(scanned);
        replayed
    }

    /// Replays one room that was just joined, from `after` to where the membership begins. Waits for credit.
    /// Answers how many, or nothing where something is missing.
    pub(super) async fn replay_room(
        &self,
        node: &Node,
        room: &Room,
        position: Position,
        upto: u64,
    ) -> Option<usize> {
        let rooms = std::slice::from_ref(room);
        let limit = node.limits.replay_entries;
        let n = judge(position, node.log.history(position.n(), rooms, limit + 1).await.ok()?, limit).ok()?;
        let page = node.log.read(Some(rooms), n, limit).await.ok()?;
        if page.trimmed > n {
            return None;
        }
        let wanted = page.entries.iter().filter(|entry| entry.n() <= upto && entry.recheck().is_none());
        let mut replayed = 0;
        for entry in wanted {
            self.credit_for(entry.content().size()).await;
            let mut state = self.state();
            if !state.may_have(room) {
                return None;
            }
            state.push(Outgoing::Entry(Arc::clone(entry)));
            drop(state);
            self.port.wake();
            replayed += 1;
        }
        Some(replayed)
    }

    async fn decide_rechecks(&self, node: &Node) {
        loop {
            let Some((order, n)) = self.state().next_recheck() else { return };
            match node.decide(&self.identity, &order, RECHECK_TRIES).await {
                Some(Access::Allowed) => self.state().rechecked(&order, n),
                Some(Access::Denied) => self.lose_room(node, &order, n, "access_revoked"),
                None => self.lose_room(node, &order, n, "unavailable"),
            }
        }
    }

    pub(super) fn lose_room(&self, node: &Node, order: &OrderId, n: u64, reason: &'static str) {
        let room = Room::Order(order.clone());
        node.registry.leave(self, &room);
        let mut state = self.state();
        state.rechecked(order, n);
        if state.is_in(&room) {
            state.leave(&room);
            state.push(Outgoing::Control { name: ROOM_LEFT, payload: control::room_left(order, reason) });
        }
        drop(state);
        self.port.wake();
    }
}
