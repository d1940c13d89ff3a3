//! The state of a session: phase, cursor, rooms, queue. A pure kernel: it decides, others do.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use super::{
    confirmed::Confirmed,
    credit::Credit,
    port::Progress,
    rechecks::{Rechecks, Request},
};
use crate::session::queue::{Outgoing, Volatile};
use crate::{
    Limits, OrderId, Position, Room,
    log::{Entry, ResetReason},
    values::Epoch,
};

/// Volatile events that wait for credit, one per name. Beyond it the oldest is dropped.
const VOLATILE: usize = 8;

/// Which of the two phases a session is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Takes nothing from the dispatcher; reads from its cursor on.
    CatchingUp,
    /// Takes entries as they are dispatched.
    Live,
}

/// What became of an entry that was offered to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    /// It is not for it, or it reads for itself.
    NotWanted,
    /// Wake the port.
    Queued,
    /// It fell back. Wake the port.
    NoCredit,
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct State {
    phase: Phase,
    /// Everything up to this `n` was handed over, or was not for this session.
    cursor: u64,
    /// The history that it goes on in, once it has begun.
    epoch: Option<Epoch>,
    /// The `n` of the last position that the client was given.
    told: u64,
    /// Why the client is to reload, where it is.
    lost: Option<ResetReason>,
    /// Its rooms, each with the `n` after which its entries are wanted.
    rooms: HashMap<Room, u64>,
    rechecks: Rechecks,
    /// Catching up rests while a join replays a room.
    held: bool,
    /// How often a room was joined, or history lost: what was read of the log before is not all of
    /// it, or none of it.
    joins: u64,
    /// The size of the entry that catching up had no credit for.
    blocked_by: usize,
    queue: VecDeque<Outgoing>,
    credit: Credit,
    volatile: VecDeque<(Room, Arc<Volatile>)>,
    queue_limit: usize,
}

impl State {
    pub(super) fn new(rooms: impl IntoIterator<Item = Room>, limits: &Limits) -> Self {
        Self {
            phase: Phase::CatchingUp,
            cursor: 0,
            epoch: None,
            told: 0,
            lost: None,
            rooms: rooms.into_iter().map(|room| (room, 0)).collect(),
            rechecks: Rechecks::default(),
            held: false,
            joins: 0,
            blocked_by: 0,
            queue: VecDeque::new(),
            credit: Credit::new(limits.window_entries, limits.window_bytes),
            volatile: VecDeque::new(),
            queue_limit: limits.window_entries * 3 / 2,
        }
    }

    /// Where catching up begins: after `at`, which the client has.
    pub(super) fn begin(&mut self, at: Position) {
        (self.cursor, self.told, self.epoch) = (at.n(), at.n(), Some(at.epoch()));
        self.credit.begin(at);
    }

    /// The client is to reload, and goes on from `head`, in rooms that it may have joined when the
    /// log was longer too.
    pub(super) fn reset(&mut self, head: Position, notice: Outgoing) {
        (self.cursor, self.told, self.epoch) = (head.n(), head.n(), Some(head.epoch()));
        self.rooms
            .values_mut()
            .for_each(|from| *from = head.n().min(*from));
        self.push(notice);
    }

    /// What was handed over is not the log's history any more: the client is to reload, and access
    /// to be decided again, since requests to do so may have been lost with it.
    pub(super) fn lose(&mut self, reason: ResetReason) {
        self.phase = Phase::CatchingUp;
        self.lost = Some(reason);
        self.recheck_all(0);
        self.joins += 1;
    }

    /// Whether its cursor is one of this history's: nothing of another may be handed over after it.
    pub(super) fn is_of(&self, epoch: Epoch) -> bool {
        self.epoch == Some(epoch)
    }

    pub(super) fn take_lost(&mut self) -> Option<ResetReason> {
        self.lost.take()
    }

    pub(super) fn cursor(&self) -> u64 {
        self.cursor
    }

    pub(super) fn rooms(&self) -> impl Iterator<Item = &Room> {
        self.rooms.keys()
    }

    /// How many rooms count against the limit: all but everyone's, which clients do not know of.
    pub(super) fn room_count(&self) -> usize {
        self.rooms
            .keys()
            .filter(|room| **room != Room::Everyone)
            .count()
    }

    pub(super) fn is_in(&self, room: &Room) -> bool {
        self.rooms.contains_key(room)
    }

    /// Is in `room` from now on, for entries after `from`. One that it is in already is never
    /// wanted from later on.
    pub(crate) fn join(&mut self, room: Room, from: u64) {
        self.joins += 1;
        self.rooms
            .entry(room)
            .and_modify(|wanted| *wanted = from.min(*wanted))
            .or_insert(from);
    }

    pub(super) fn joins(&self) -> u64 {
        self.joins
    }

    pub(super) fn leave(&mut self, room: &Room) {
        self.rooms.remove(room);
        self.volatile.retain(|(of, _)| of != room);
    }

    fn wants(&self, entry: &Entry, room: &Room) -> bool {
        entry.n() > self.cursor && self.rooms.get(room).is_some_and(|from| entry.n() > *from)
    }

    /// Whether the entry is for this session, by any of its rooms.
    pub(super) fn wants_any(&self, entry: &Entry) -> bool {
        !entry.is_control()
            && entry
                .content()
                .rooms()
                .iter()
                .any(|room| self.wants(entry, room))
    }

    /// An entry of `room` from the dispatcher.
    pub(super) fn offer(&mut self, entry: &Arc<Entry>, room: &Room) -> Offered {
        if self.phase != Phase::Live || !self.wants(entry, room) {
            return Offered::NotWanted;
        }
        if !self.credit.fits(entry.content().size()) {
            self.fall_back(entry.n() - 1);
            return Offered::NoCredit;
        }
        self.cursor = entry.n();
        self.push(Outgoing::Entry(Arc::clone(entry)));
        Offered::Queued
    }

    /// Hands over an entry while catching up. `false`: no credit, and the cursor stays before it.
    pub(super) fn replay(&mut self, entry: &Arc<Entry>) -> bool {
        let size = entry.content().size();
        self.blocked_by = if self.credit.fits(size) { 0 } else { size };
        if self.blocked_by > 0 {
            return false;
        }
        self.cursor = entry.n();
        self.push(Outgoing::Entry(Arc::clone(entry)));
        true
    }

    /// Everything up to `n` has been looked at.
    pub(super) fn skip_to(&mut self, n: u64) {
        self.cursor = self.cursor.max(n);
    }

    /// Takes nothing from the dispatcher any more. `offered`: what it has been offered already.
    pub(super) fn fall_back(&mut self, offered: u64) {
        if self.phase == Phase::Live {
            self.phase = Phase::CatchingUp;
            self.cursor = self.cursor.max(offered);
        }
    }

    pub(super) fn go_live(&mut self) {
        self.phase = Phase::Live;
    }

    /// Rests catching up until [`Self::release`]; the session is not live meanwhile.
    pub(super) fn hold(&mut self, offered: u64) {
        self.fall_back(offered);
        self.held = true;
    }

    pub(super) fn release(&mut self) {
        self.held = false;
    }

    /// The order's access is to be decided anew: nothing more is taken until it is. `offered`: what
    /// it has been offered already.
    pub(super) fn recheck(&mut self, order: &OrderId, offered: u64) {
        self.fall_back(offered);
        self.rechecks.ask(order);
        self.volatile
            .retain(|(room, _)| !matches!(room, Room::Order(of) if of == order));
    }

    /// The same of all orders whose rooms it is in.
    pub(super) fn recheck_all(&mut self, offered: u64) {
        let orders: Vec<OrderId> = self.rooms.keys().filter_map(Room::order).cloned().collect();
        orders.iter().for_each(|order| self.recheck(order, offered));
    }

    /// The recheck to decide next; it stays until [`Self::rechecked`].
    pub(super) fn next_recheck(&self) -> Option<(OrderId, Request)> {
        self.rechecks.next()
    }

    /// Access was decided as the request asked. A later one stays.
    pub(super) fn rechecked(&mut self, order: &OrderId, request: Request) {
        self.rechecks.decided(order, request);
    }

    #[cfg(test)]
    pub(super) fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// Whether entries may be handed over while catching up.
    pub(super) fn may_replay(&self) -> bool {
        self.phase == Phase::CatchingUp
            && !self.held
            && self.lost.is_none()
            && self.rechecks.is_empty()
    }

    /// Whether entries of this room may be handed over while it is replayed.
    pub(super) fn may_have(&self, room: &Room) -> bool {
        self.is_in(room)
            && !room
                .order()
                .is_some_and(|order| self.rechecks.concern(order))
    }

    /// Whether a step of catching up could do something now. It waits for half the window, so that
    /// a slow client's log is not read entry by entry, and for room for the entry that did not fit.
    pub(super) fn wants_step(&self) -> bool {
        self.phase == Phase::CatchingUp
            && (!self.rechecks.is_empty()
                || self.lost.is_some()
                || (!self.held && self.credit.is_half_free() && self.credit.fits(self.blocked_by)))
    }

    /// An event beside the log: at once where nothing waits, else when all that waits has gone;
    /// newest wins. Nothing where it is not taken, else whether another had to go.
    pub(super) fn offer_volatile(&mut self, event: &Arc<Volatile>, room: &Room) -> Option<bool> {
        if self.phase != Phase::Live || !self.rooms.contains_key(room) {
            return None;
        }
        if self
            .volatile
            .iter()
            .any(|(_, waiting)| Arc::ptr_eq(waiting, event))
        {
            return None;
        }
        let waited = self.volatile.len();
        self.volatile
            .retain(|(_, waiting)| waiting.name != event.name);
        if self.volatile.len() == VOLATILE {
            self.volatile.pop_front();
        }
        self.volatile.push_back((room.clone(), Arc::clone(event)));
        Some(self.volatile.len() <= waited)
    }

    /// Queues a packet that must not be lost. There is never more than a few of them beside the
    /// credit window.
    pub(super) fn push(&mut self, outgoing: Outgoing) {
        let at = outgoing.position();
        self.told = at.map_or(self.told, |at| at.n().max(self.told));
        self.credit.hand_over(outgoing.size(), at);
        self.queue.push_back(outgoing);
    }

    /// Queues a refusal. Beyond half as much again as the window it is dropped: only a client that
    /// asks without ever reading gets there.
    pub(super) fn push_refusal(&mut self, refusal: Outgoing) {
        if self.credit.in_flight() < self.queue_limit {
            self.push(refusal);
        }
    }

    pub(super) fn take(&mut self) -> Option<Outgoing> {
        self.queue.pop_front().or_else(|| {
            if self.credit.in_flight() > 0 {
                return None;
            }
            let event = Outgoing::Volatile(self.volatile.pop_front()?.1);
            self.credit.hand_over(event.size(), None);
            Some(event)
        })
    }

    pub(super) fn settle(&mut self, progress: Progress) {
        self.credit.settle(progress);
    }

    /// Where writing cannot be seen, what has left the queue counts as written.
    pub(super) fn settle_all(&mut self) {
        self.credit.settle_to(self.queue.len());
    }

    /// What the client has certainly received, and what was written to it.
    pub(super) fn confirmed(&self) -> &Confirmed {
        self.credit.confirmed()
    }

    /// Whether the last position that the client was given is older than `age` entries, where
    /// everything up to `dispatched` was offered: it may be told that one then.
    pub(super) fn is_told_too_little(&self, dispatched: Position, age: u64) -> bool {
        self.phase == Phase::Live
            && self.is_of(dispatched.epoch())
            && dispatched.n().saturating_sub(self.told) >= age
    }

    pub(super) fn in_flight(&self) -> usize {
        self.credit.in_flight()
    }

    pub(super) fn has_credit(&self, size: usize) -> bool {
        self.credit.fits(size)
    }
}
