//! Catching up: from a cursor to the head, once, whatever made it necessary.

use std::sync::Arc;

use super::{Outgoing, Session, Start, rechecks::Request, retry::patiently};
use crate::session::{
    wire as control,
    wire::{READY, ROOM_LEFT},
};
use crate::{
    AccessDecision, OrderId, Position, Room, crash_points,
    log::{Entry, Page, ResetReason, judge},
    node::Node,
};

/// How many entries one read of the log asks for, once the first has shown that there are not too
/// many.
const PAGE: usize = 128;

/// The same, where what was read waits for a client to take it: it must not be much for one that
/// never does.
const ROOM_PAGE: usize = 32;

/// How often a recheck that cannot be decided is tried before the room is taken away.
const RECHECK_TRIES: u32 = 3;

/// A page of the log to be read: for which rooms, from where, and what is offered to everybody
/// anyway.
pub(super) struct Read {
    pub(super) from: u64,
    pub(super) rooms: Vec<Room>,
    joins: u64,
    head: Position,
}

impl Session {
    /// One step towards being live: decides what is to be decided, then hands over what fits.
    pub(crate) async fn catch_up(&self, node: &Node, start: &mut Start) {
        self.decide_rechecks(node).await;
        if !start.begun && !self.begin(node, start).await {
            return;
        }
        self.reload_if_lost(node, start);
        let from = self.state().cursor();
        let in_window = node.window().recent().reaches(from);
        self.counters
            .catch_up_reads
            .add(if in_window { "window" } else { "log" });
        if in_window {
            self.replay_window(node, start);
        } else {
            self.replay_page(node, start).await;
        }
    }

    /// Hands over what the window has, and goes live where that was all: under both locks, so that
    /// nothing comes between.
    pub(super) fn replay_window(&self, node: &Node, start: &mut Start) {
        let mut state = self.state();
        if !state.may_replay() {
            return;
        }
        let recent = node.window().recent();
        if !state.is_of(recent.head().epoch()) {
            return state.lose(ResetReason::EpochChanged);
        }
        if !recent.reaches(state.cursor()) {
            return;
        }
        let rooms: Vec<Room> = state.rooms().cloned().collect();
        for entry in recent.after(state.cursor(), rooms.iter()) {
            if state.wants_any(entry) {
                if !state.replay(entry) {
                    return;
                }
                crash_points::point("mid-replay");
                start.replayed += 1;
                self.counters.replayed.add(1);
            }
        }
        state.skip_to(recent.head().n());
        state.go_live();
        if !start.ready {
            start.ready = true;
            if let Some(id) = start.answer.take() {
                state.push(Outgoing::Ack {
                    id,
                    answer: control::resumed(start.recovered, start.replayed),
                });
            }
            let at = recent.head();
            let payload =
                control::ready(&self.identity, rooms, start.recovered, start.replayed, at);
            state.push(Outgoing::at(READY, payload, at));
        }
    }

    pub(super) fn reload_if_lost(&self, node: &Node, start: &mut Start) {
        let lost = self.state().take_lost();
        if let Some(reason) = lost {
            start.again();
            self.reset(node, reason);
        }
    }

    /// Hands over a page of the log, up to what this node has dispatched.
    async fn replay_page(&self, node: &Node, start: &mut Start) {
        let read = self.page_to_read(node);
        match patiently(|| node.log().read(Some(&read.rooms), read.from, PAGE)).await {
            Ok(page) => self.replay_read(node, start, &read, &page),
            Err(error) => self.end_unread(&error),
        }
    }

    pub(super) fn page_to_read(&self, node: &Node) -> Read {
        let state = self.state();
        let (rooms, joins) = (state.rooms().cloned().collect(), state.joins());
        Read {
            from: state.cursor(),
            rooms,
            joins,
            head: node.window().head(),
        }
    }

    pub(super) fn replay_read(&self, node: &Node, start: &mut Start, read: &Read, page: &Page) {
        // What was read is of no use to a session that has come to rest meanwhile, nor is what it
        // lacks.
        if !self.state().may_replay() {
            return;
        }
        if page.epoch != read.head.epoch() || !self.state().is_of(page.epoch) {
            self.state().lose(ResetReason::EpochChanged);
        } else if page.trimmed > read.from {
            start.again();
            self.reset(node, ResetReason::TooOld);
        } else {
            start.replayed += self.replay_entries(read, page);
        }
    }

    /// Hands over what was read, unless a room was joined meanwhile: its entries are not among
    /// these then.
    fn replay_entries(&self, read: &Read, page: &Page) -> usize {
        let (entries, head) = (&page.entries, read.head.n());
        let mut state = self.state();
        if !state.may_replay() || state.joins() != read.joins {
            return 0;
        }
        let mut replayed = 0;
        for entry in entries.iter().filter(|entry| entry.n() <= head) {
            if state.wants_any(entry) {
                if !state.replay(entry) {
                    return replayed;
                }
                crash_points::point("mid-replay");
                replayed += 1;
                self.counters.replayed.add(1);
            }
        }
        state.skip_to(page.scanned.min(head));
        replayed
    }

    /// Replays one room that was just joined, from `after` to where the membership begins. Waits
    /// for credit. Answers how many, or nothing where something is missing, or has become another
    /// history meanwhile.
    pub(super) async fn replay_room(
        &self,
        node: &Node,
        room: &Room,
        position: Position,
        upto: u64,
    ) -> Option<usize> {
        let rooms = std::slice::from_ref(room);
        let limit = node.limits().replay_entries;
        let joins = self.state().joins();
        if !node.replay_budget().afford_look(&self.identity.user) {
            return None;
        }
        let history = node
            .log()
            .history(position.n(), rooms, limit + 1)
            .await
            .ok()?;
        let resumable = judge(position, history, limit).ok()?;
        if !node
            .replay_budget()
            .afford(&self.identity.user, resumable.missed)
        {
            return None;
        }
        let (mut after, mut replayed) = (resumable.after, 0);
        loop {
            let page = node.log().read(Some(rooms), after, ROOM_PAGE).await.ok()?;
            if page.trimmed > after || page.epoch != position.epoch() {
                return None;
            }
            let wanted = page
                .entries
                .iter()
                .filter(|entry| entry.n() <= upto && !entry.is_control());
            for entry in wanted {
                self.replay_entry(room, entry, joins).await?;
                replayed += 1;
                self.counters.replayed.add(1);
            }
            if page.scanned >= upto || page.entries.len() < ROOM_PAGE {
                return Some(replayed);
            }
            after = page.scanned;
        }
    }

    /// Hands over an entry of a room that is replayed, when there is credit for it. Nothing where
    /// the room was left, or any was joined, meanwhile.
    async fn replay_entry(&self, room: &Room, entry: &Arc<Entry>, joins: u64) -> Option<()> {
        self.credit_for(entry.content().size()).await;
        let mut state = self.state();
        if !state.may_have(room) || state.joins() != joins {
            return None;
        }
        state.push(Outgoing::Entry(Arc::clone(entry)));
        drop(state);
        self.port.wake();
        Some(())
    }

    async fn decide_rechecks(&self, node: &Node) {
        loop {
            let Some((order, asked)) = self.state().next_recheck() else {
                return;
            };
            match node.decide(&self.identity, &order, RECHECK_TRIES).await {
                Some(AccessDecision::Allowed) => self.state().rechecked(&order, asked),
                Some(AccessDecision::Denied) => {
                    self.lose_room(node, &order, asked, "access_revoked")
                }
                None => self.lose_room(node, &order, asked, "unavailable"),
            }
        }
    }

    pub(super) fn lose_room(
        &self,
        node: &Node,
        order: &OrderId,
        asked: Request,
        reason: &'static str,
    ) {
        let room = Room::Order(order.clone());
        node.leave(self, &room);
        let mut state = self.state();
        state.rechecked(order, asked);
        if state.is_in(&room) {
            state.leave(&room);
            state.push(Outgoing::control(
                ROOM_LEFT,
                control::room_left(order, reason),
            ));
        }
        drop(state);
        self.port.wake();
    }
}
