//! The state of a session: its phase, its rooms, and what waits to be written. A pure kernel: it
//! decides, other files act.

mod fences;
mod offer;

use tokio::time::Instant;

use super::{
    fences::Fences,
    outbox::Outbox,
    packet::Outgoing,
    phase::{Cursor, Intake, PendingReady, Phase},
    recheck_request::{RecheckCause, RecheckRequest, RecheckToDecide},
    rechecks::Rechecks,
    request::ConnectRequest,
    room_set::RoomSet,
    wire::{self, ROOM_LEFT},
};
use crate::{Limits, OrderId, Position, Role, Room, values::Epoch};

pub(crate) use offer::Offered;

/// The state of one session, behind its lock.
#[derive(Debug)]
pub(crate) struct SessionState {
    phase: Phase,
    rooms: RoomSet,
    rechecks: Rechecks,
    fences: Fences,
    /// The number of times that the client was told to reload.
    resets: u32,
    /// Counts joins and losses of history. A page that was read from the log under an older number
    /// lacks the entries of a room, or is of a history that is gone: it is discarded.
    read_generation: u64,
    outbox: Outbox,
}

impl SessionState {
    pub(super) fn new(
        rooms: impl IntoIterator<Item = Room>,
        limits: &Limits,
        phase: Phase,
    ) -> Self {
        Self {
            phase,
            rooms: RoomSet::new(rooms),
            rechecks: Rechecks::default(),
            fences: Fences::default(),
            resets: 0,
            read_generation: 0,
            outbox: Outbox::new(limits),
        }
    }

    #[cfg(test)]
    pub(super) const fn phase(&self) -> &Phase {
        &self.phase
    }
}

/// The start.
impl SessionState {
    /// Applies the client's `rt:resume`, if the session awaits it.
    pub(super) fn apply_resume(&mut self, request: ConnectRequest, ack: Option<i64>) {
        self.phase.apply_resume(request, ack);
    }

    /// Stops awaiting `rt:resume`.
    pub(super) fn stop_awaiting_resume(&mut self) {
        self.phase.stop_awaiting_resume();
    }

    /// Begins the start. Returns what the client asked for, or `None` if the start must wait or has
    /// begun before.
    pub(super) fn begin_start(&mut self) -> Option<ConnectRequest> {
        self.phase.begin_start()
    }

    /// Completes the start: catching up begins after `position`, which the client has shown.
    pub(super) fn resume_after(&mut self, position: Position) {
        self.complete_start(position, true);
    }

    /// Completes the start of a client without a position. It receives what follows the head of the
    /// log when it connected; what follows `window_head` if that is not known, or of no use because
    /// the log has had a new epoch since.
    pub(super) fn start_at_head(&mut self, window_head: Position) {
        let at_connect = self.phase.log_head_at_connect();
        let head = at_connect.filter(|head| head.epoch() == window_head.epoch());
        self.complete_start(head.unwrap_or(window_head), false);
    }

    fn complete_start(&mut self, position: Position, recovered: bool) {
        if self.phase.complete_start(position, recovered) {
            self.outbox.start_at(position);
        }
    }

    /// Moves the cursor to `head` and queues `notice`, which tells the client to reload. Returns
    /// false, and changes nothing, if the session has not begun to start.
    pub(super) fn reset(&mut self, head: Position, notice: Outgoing) -> bool {
        let is_reset = self.phase.reset(head);
        if is_reset {
            self.rooms.lower_to(head.n());
            self.outbox.set_last_position(head.n());
            self.outbox.push(notice);
            self.fences.reset_at(head);
            self.resets += 1;
        }
        is_reset
    }
}

/// The cursor.
impl SessionState {
    /// Discards the session's history, since the log has a new epoch: the client is to reload.
    /// Access to all orders is to be decided again, since requests for that may have been lost with
    /// the history.
    pub(super) fn lose_history(&mut self) {
        self.phase.lose_history();
        self.recheck_all(0);
        self.read_generation += 1;
    }

    /// Returns whether the client is yet to be told to reload.
    pub(super) const fn is_resetting(&self) -> bool {
        matches!(self.phase, Phase::Resetting(_))
    }

    /// Returns whether the cursor is one of `epoch`. Entries of another epoch must not be handed
    /// over after it.
    pub(super) fn is_in_epoch(&self, epoch: Epoch) -> bool {
        let cursor = self.phase.cursor();
        cursor.is_some_and(|cursor| cursor.epoch() == epoch)
    }

    /// Returns the number of the last entry that was handed over, or was not for this session;
    /// `None` until the start is complete.
    pub(super) fn cursor(&self) -> Option<u64> {
        self.phase.cursor().map(Cursor::n)
    }

    /// Moves the cursor forward to `n`: every entry up to it was examined.
    pub(super) fn advance_to(&mut self, n: u64) {
        self.phase.advance_to(n);
    }

    /// Takes nothing from the dispatcher from here on. `offered` is the last entry that it was
    /// offered.
    pub(super) fn fall_back(&mut self, offered: u64) {
        self.phase.fall_back(offered);
    }

    /// Goes live, unless access is to be decided: every entry up to `n` was handed over. Returns
    /// what `rt:ready` is to say, if it was not sent yet.
    pub(super) fn go_live(&mut self, n: u64) -> Option<PendingReady> {
        if self.rechecks.is_empty() {
            self.phase.go_live(n)
        } else {
            None
        }
    }

    /// Continues catching up after [`join_at_cursor`](Self::join_at_cursor).
    pub(super) fn end_join_pause(&mut self) {
        self.phase.end_join_pause();
    }

    /// Returns the last entry that catching up may hand over now; `None` if it may hand over none.
    pub(super) fn replay_limit(&self) -> Option<u64> {
        let limit = self.rechecks.released_upto();
        let cursor = self.cursor()?;
        (self.phase.may_replay() && cursor < limit).then_some(limit)
    }

    /// Returns whether the session's task could take a step now.
    pub(super) fn can_step(&self) -> bool {
        match &self.phase {
            // While it is starting, a step is under way.
            Phase::AwaitingResume(_) | Phase::Starting(_) | Phase::Live(_) => false,
            Phase::Resetting(_) => !self.waits_for_rechecks(),
            Phase::NotBegun(_) => self.has_credit_for_step(),
            Phase::CatchingUp(_) => self.replay_limit().is_some() && self.has_credit_for_step(),
        }
    }

    /// Returns whether the client was sent `rt:ready`, and was not told to reload since.
    pub(super) const fn is_ready(&self) -> bool {
        self.phase.is_ready()
    }

    /// Returns whether the session is live, decides nothing and owes no answer to `rt:sync`, so
    /// that its task has no part in what it is offered.
    pub(super) fn is_quiet(&self) -> bool {
        matches!(self.phase, Phase::Live(_)) && self.rechecks.is_empty() && self.fences.is_empty()
    }

    /// Returns whether undecided rechecks withhold all that a step could do for a session with a
    /// cursor: the next entry, or the reset if access is to be decided again for that.
    pub(super) fn waits_for_rechecks(&self) -> bool {
        let released = self.rechecks.released_upto();
        match &self.phase {
            Phase::Resetting(_) => released == 0,
            _ => self.cursor().is_some_and(|cursor| cursor >= released),
        }
    }

    /// Returns whether there is credit for a step: half the window, so that the log of a slow
    /// client is not read entry by entry, and room for the entry that did not fit before.
    fn has_credit_for_step(&self) -> bool {
        let size = self.phase.credit_for_step();
        self.outbox.is_half_free() && size.is_some_and(|size| self.outbox.has_credit(size))
    }

    /// Returns the inbound events that are handled now. They wait while there is no credit: their
    /// answers could not be written.
    pub(super) fn intake(&self) -> Intake {
        match self.phase.intake() {
            Intake::Everything if !self.outbox.has_credit(0) => Intake::Nothing,
            intake => intake,
        }
    }

    /// Returns whether the last position that the client was sent is at least `max_age` entries
    /// older than `dispatched`, in a live session: it was offered everything up to `dispatched`.
    pub(super) fn is_position_stale(&self, dispatched: Position, max_age: u64) -> bool {
        matches!(self.phase, Phase::Live(_))
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

    /// Adds `room`, for entries after the cursor, and pauses catching up there until
    /// [`end_join_pause`](Self::end_join_pause). The session is not live meanwhile. `offered` is
    /// the last entry that it was offered.
    pub(super) fn join_at_cursor(&mut self, room: Room, offered: u64) {
        self.phase.pause_for_join(offered);
        // A session without a cursor wants whatever follows the one that it will have.
        let after = self.cursor().unwrap_or(0);
        self.join(room, after);
    }

    /// Removes `room`. Access to it need not be decided any more.
    pub(super) fn leave(&mut self, room: &Room) {
        self.rooms.leave(room);
        if let Some(order) = room.order() {
            self.rechecks.forget(order);
        }
        self.outbox.drop_volatile_of_room(room);
    }

    /// Leaves the room of a role for that of another, for entries after `head`, and requests that
    /// access to all orders be decided again. `offered` is the last entry that the session was
    /// offered. The client is told.
    pub(super) fn change_role(&mut self, before: Role, after: Role, head: u64, offered: u64) {
        let left = Room::Role(before);
        self.leave(&left);
        self.join(Room::Role(after), head);
        let orders = self.rooms.orders();
        for order in &orders {
            self.recheck(order, offered);
        }
        self.rechecks.await_decisions(orders);
        let told = Outgoing::control(ROOM_LEFT, wire::room_left(&left, "role_changed"));
        self.outbox.push(told);
    }

    /// Returns whether the access to an order has yet to be decided since the last change of the
    /// role.
    pub(super) fn awaits_decisions(&self) -> bool {
        self.rechecks.awaits_decisions()
    }

    /// Returns the number under which a page of the log is read: see
    /// [`read_generation`](Self::read_generation).
    pub(super) fn read_generation(&self) -> u64 {
        self.read_generation
    }

    /// Requests that the order's access be decided again. Until it is, nothing that follows entry
    /// `offered` is handed over, nor any entry of the order's room. `offered` is the last entry
    /// that the session was offered.
    pub(super) fn recheck(&mut self, order: &OrderId, offered: u64) {
        self.fall_back(offered);
        self.request_recheck(order, RecheckCause::Order, offered);
    }

    /// Requests the same as [`recheck`](Self::recheck) for every order room of the session, in a
    /// round of decisions on all access.
    pub(super) fn recheck_all(&mut self, offered: u64) {
        for order in self.rooms.orders() {
            self.fall_back(offered);
            self.request_recheck(&order, RecheckCause::Round, offered);
        }
    }

    fn request_recheck(&mut self, order: &OrderId, cause: RecheckCause, preceded_by: u64) {
        self.rechecks
            .request(order, cause, preceded_by, Instant::now());
        self.outbox.drop_volatile_of_order(order);
    }

    /// Returns the decisions on access that the session's task is to begin now, one for each order.
    /// Their requests stay until [`Self::finish_recheck`]. A session without a cursor begins none.
    pub(super) fn begin_rechecks(&mut self) -> Vec<RecheckToDecide> {
        if self.is_rechecking() {
            self.rechecks.begin()
        } else {
            Vec::new()
        }
    }

    /// Returns the rechecks that are undecided, each order once.
    #[cfg(test)]
    pub(super) fn requested_rechecks(&self) -> Vec<(OrderId, RecheckRequest)> {
        self.rechecks.requested()
    }

    /// Returns the first of the rechecks that are undecided.
    #[cfg(test)]
    pub(super) fn next_recheck(&self) -> Option<(OrderId, RecheckRequest)> {
        self.rechecks.requested().into_iter().next()
    }

    /// Returns whether the request is yet to be decided, and the session has not left the room
    /// since.
    pub(super) fn is_recheck_open(&self, order: &OrderId, request: RecheckRequest) -> bool {
        self.rechecks.is_open(order, request)
    }

    /// Returns whether there is a recheck that the session's task decides now. A session that is
    /// starting decides later: its start may wait for the dispatcher.
    pub(super) fn is_rechecking(&self) -> bool {
        !self.rechecks.is_empty() && self.cursor().is_some()
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

/// Packets.
impl SessionState {
    /// Returns what waits to be written.
    pub(super) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Returns what waits to be written, to add to it or to take from it.
    pub(super) fn outbox_mut(&mut self) -> &mut Outbox {
        &mut self.outbox
    }
}
