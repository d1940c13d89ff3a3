//! The state of a session: phase, cursor, rooms, what waits to be written. A pure kernel: it
//! decides, other files act.

use std::sync::Arc;

use super::{
    outbox::Outbox,
    packet::{Outgoing, Volatile},
    rechecks::{RecheckRequest, Rechecks},
    room_set::RoomSet,
    volatile_queue::VolatileOffered,
};
use crate::{
    Limits, OrderId, Position, Room,
    log::{Entry, ResetReason},
    values::Epoch,
};

/// The two phases of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Takes nothing from the dispatcher; reads from its cursor on.
    CatchingUp,
    /// Takes entries as they are dispatched.
    Live,
}

/// What happened to an entry that was offered to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    /// The entry is not for this session, or the session is catching up.
    NotWanted,
    /// The entry was queued. Wake the port.
    Queued,
    /// There was no credit, and the session fell back to catching up. Wake the port.
    NoCredit,
}

/// The state of one session, behind its lock.
#[derive(Debug)]
pub(crate) struct SessionState {
    phase: Phase,
    /// The last entry number that was handed over, or was not for this session.
    cursor: u64,
    /// The epoch of the cursor; `None` until the cursor is set.
    epoch: Option<Epoch>,
    /// Why the client is to reload, if it is.
    pending_reset: Option<ResetReason>,
    rooms: RoomSet,
    rechecks: Rechecks,
    /// Catching up is paused while a join replays a room.
    paused_for_join: bool,
    /// Counts joins and losses of history. A page that was read from the log under an older number
    /// lacks the entries of a room, or is of a history that is gone: it is discarded.
    read_generation: u64,
    /// The size of the entry that catching up had no credit for; 0 if there is none.
    blocked_entry_size: usize,
    outbox: Outbox,
}

impl SessionState {
    pub(super) fn new(rooms: impl IntoIterator<Item = Room>, limits: &Limits) -> Self {
        Self {
            phase: Phase::CatchingUp,
            cursor: 0,
            epoch: None,
            pending_reset: None,
            rooms: RoomSet::new(rooms),
            rechecks: Rechecks::default(),
            paused_for_join: false,
            read_generation: 0,
            blocked_entry_size: 0,
            outbox: Outbox::new(limits),
        }
    }
}

/// The cursor and the phase.
impl SessionState {
    /// Sets the cursor to `position`, which the client has: catching up starts after it.
    pub(super) fn start_after(&mut self, position: Position) {
        self.cursor = position.n();
        self.epoch = Some(position.epoch());
        self.outbox.start_at(position);
    }

    /// Moves the cursor to `head` and queues `notice`, which tells the client to reload.
    pub(super) fn reset(&mut self, head: Position, notice: Outgoing) {
        self.cursor = head.n();
        self.epoch = Some(head.epoch());
        self.rooms.lower_to(head.n());
        self.outbox.set_last_position(head.n());
        self.outbox.push(notice);
    }

    /// Discards the session's history: the client is to reload for `reason`. Access to all orders
    /// is to be decided again, since requests for that may have been lost with the history.
    pub(super) fn lose_history(&mut self, reason: ResetReason) {
        self.phase = Phase::CatchingUp;
        self.pending_reset = Some(reason);
        self.recheck_all(0);
        self.read_generation += 1;
    }

    /// Returns whether the cursor is one of `epoch`. Entries of another epoch must not be handed
    /// over after it.
    pub(super) fn is_in_epoch(&self, epoch: Epoch) -> bool {
        self.epoch == Some(epoch)
    }

    /// Removes the reason why the client is to reload.
    pub(super) fn take_pending_reset(&mut self) -> Option<ResetReason> {
        self.pending_reset.take()
    }

    pub(super) fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Moves the cursor forward to `n`: every entry up to it was examined.
    pub(super) fn advance_to(&mut self, n: u64) {
        self.cursor = self.cursor.max(n);
    }

    /// Takes nothing from the dispatcher from here on. `offered` is the last entry that it was
    /// offered.
    pub(super) fn fall_back(&mut self, offered: u64) {
        if self.phase == Phase::Live {
            self.phase = Phase::CatchingUp;
            self.cursor = self.cursor.max(offered);
        }
    }

    pub(super) fn go_live(&mut self) {
        self.phase = Phase::Live;
    }

    #[cfg(test)]
    pub(super) fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// Pauses catching up until [`Self::end_join_pause`]. The session is not live meanwhile.
    pub(super) fn pause_for_join(&mut self, offered: u64) {
        self.fall_back(offered);
        self.paused_for_join = true;
    }

    pub(super) fn end_join_pause(&mut self) {
        self.paused_for_join = false;
    }

    /// Returns whether entries may be handed over while catching up.
    pub(super) fn may_replay(&self) -> bool {
        self.phase == Phase::CatchingUp
            && !self.paused_for_join
            && self.pending_reset.is_none()
            && self.rechecks.is_empty()
    }

    /// Returns whether a step of catching up could do something now.
    pub(super) fn can_step(&self) -> bool {
        if self.phase != Phase::CatchingUp {
            return false;
        }
        if self.pending_reset.is_some() || !self.rechecks.is_empty() {
            return true;
        }
        // Half the window, so that the log of a slow client is not read entry by entry, and room
        // for the entry that did not fit before.
        !self.paused_for_join
            && self.outbox.is_half_free()
            && self.outbox.has_credit(self.blocked_entry_size)
    }

    /// Returns whether the last position that the client was sent is at least `max_age` entries
    /// older than `dispatched`, in a live session: it was offered everything up to `dispatched`.
    pub(super) fn is_position_stale(&self, dispatched: Position, max_age: u64) -> bool {
        self.phase == Phase::Live
            && self.is_in_epoch(dispatched.epoch())
            && dispatched.n().saturating_sub(self.outbox.last_position()) >= max_age
    }
}

/// Rooms and rechecks.
impl SessionState {
    pub(super) fn rooms(&self) -> impl Iterator<Item = &Room> {
        self.rooms.iter()
    }

    /// Returns how many rooms count against the limit.
    pub(super) fn room_count(&self) -> usize {
        self.rooms.counted()
    }

    pub(super) fn is_in(&self, room: &Room) -> bool {
        self.rooms.contains(room)
    }

    /// Adds `room`, for entries after `n`. If the session is in the room already, the smaller `n`
    /// counts.
    pub(crate) fn join(&mut self, room: Room, n: u64) {
        self.read_generation += 1;
        self.rooms.join(room, n);
    }

    pub(super) fn leave(&mut self, room: &Room) {
        self.rooms.leave(room);
        self.outbox.drop_volatile_of_room(room);
    }

    /// Returns the number under which a page of the log is read: see
    /// [`read_generation`](Self::read_generation).
    pub(super) fn read_generation(&self) -> u64 {
        self.read_generation
    }

    /// Requests that the order's access be decided again. Nothing more is taken until it is.
    /// `offered` is the last entry that the session was offered.
    pub(super) fn recheck(&mut self, order: &OrderId, offered: u64) {
        self.fall_back(offered);
        self.rechecks.request(order);
        self.outbox.drop_volatile_of_order(order);
    }

    /// Requests the same as [`recheck`](Self::recheck) for every order room of the session.
    pub(super) fn recheck_all(&mut self, offered: u64) {
        for order in self.rooms.orders() {
            self.recheck(&order, offered);
        }
    }

    /// Returns the recheck to decide next. It stays until [`Self::finish_recheck`].
    pub(super) fn next_recheck(&self) -> Option<(OrderId, RecheckRequest)> {
        self.rechecks.next()
    }

    /// Removes a request, since access was decided after it. A later request for the order stays.
    pub(super) fn finish_recheck(&mut self, order: &OrderId, request: RecheckRequest) {
        self.rechecks.finish(order, request);
    }

    /// Returns whether entries of this room may be handed over while it is replayed.
    pub(super) fn may_replay_room(&self, room: &Room) -> bool {
        let is_being_rechecked = room
            .order()
            .is_some_and(|order| self.rechecks.is_pending(order));
        self.is_in(room) && !is_being_rechecked
    }
}

/// Entries and packets.
impl SessionState {
    fn wants(&self, entry: &Entry, room: &Room) -> bool {
        entry.is_event() && entry.n() > self.cursor && self.rooms.wants(room, entry.n())
    }

    /// Returns whether the entry is for this session, by any of its rooms.
    pub(super) fn wants_any(&self, entry: &Entry) -> bool {
        let mut rooms = entry.content().rooms().iter();
        rooms.any(|room| self.wants(entry, room))
    }

    /// Takes an entry of `room` from the dispatcher.
    pub(super) fn offer(&mut self, entry: &Arc<Entry>, room: &Room) -> Offered {
        if self.phase != Phase::Live || !self.wants(entry, room) {
            return Offered::NotWanted;
        }
        if !self.outbox.has_credit(entry.content().size()) {
            self.fall_back(entry.n() - 1);
            return Offered::NoCredit;
        }
        self.push_entry(entry);
        Offered::Queued
    }

    /// Hands over an entry while catching up. Returns `false` if there is no credit; the cursor
    /// then stays before the entry.
    pub(super) fn replay(&mut self, entry: &Arc<Entry>) -> bool {
        let size = entry.content().size();
        if !self.outbox.has_credit(size) {
            self.blocked_entry_size = size;
            return false;
        }
        self.blocked_entry_size = 0;
        self.push_entry(entry);
        true
    }

    fn push_entry(&mut self, entry: &Arc<Entry>) {
        self.cursor = entry.n();
        self.outbox.push(Outgoing::Entry(Arc::clone(entry)));
    }

    /// Takes an event beside the log, in a live session.
    pub(super) fn offer_volatile(&mut self, event: &Arc<Volatile>, room: &Room) -> VolatileOffered {
        if self.phase != Phase::Live || !self.is_in(room) {
            return VolatileOffered::NotWanted;
        }
        self.outbox.offer_volatile(event, room)
    }

    /// Returns what waits to be written.
    pub(super) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Returns what waits to be written, to add to it or to take from it.
    pub(super) fn outbox_mut(&mut self) -> &mut Outbox {
        &mut self.outbox
    }
}
