//! The packets that wait to be written to the client of a session. A pure kernel.

use std::{collections::VecDeque, sync::Arc};

use super::{
    confirmed::Confirmed,
    credit::Credit,
    packet::{Outgoing, Volatile},
    port::Progress,
    volatile_queue::{VolatileOffered, VolatileQueue},
    wire::EventRefusal,
};
use crate::{
    Limits, OrderId, Position, Room,
    planted_faults::{Fault, planted},
};

/// The most refusals of unhandled events that wait. Further ones are dropped: only a client that
/// floods its session gets there.
const MAX_UNHANDLED: usize = 4_096;

/// The most other packets that are written between a volatile event's arrival and the event. So the
/// transport is given no more than these at a time: what it has cannot be overtaken.
const MAX_BEFORE_VOLATILE: usize = 32;

/// An event that was refused without being handled, as much of it as its refusal needs.
#[derive(Debug)]
pub(super) struct Unhandled {
    /// The id under which the client wants an answer, if it does.
    pub(super) ack: Option<i64>,
    /// Its name, at most as long as it is repeated; empty if there is an ack.
    pub(super) name: Box<str>,
    pub(super) refusal: EventRefusal,
}

/// The queue of a session's packets, with its credit window.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: VecDeque<Outgoing>,
    /// Their refusals wait until half of the credit is free: they take no credit from entries, and
    /// no memory for their packets before.
    unhandled: VecDeque<Unhandled>,
    volatile: VolatileQueue,
    /// The number of packets that were taken, without volatile events.
    taken: u64,
    credit: Credit,
    /// Refusals are dropped when this many packets are in flight.
    refusal_limit: usize,
    /// The `n` of the last position that the client was sent.
    last_position: u64,
}

impl Outbox {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            queue: VecDeque::new(),
            unhandled: VecDeque::new(),
            volatile: VolatileQueue::new(limits.volatile_waiting, limits.window_bytes),
            taken: 0,
            credit: Credit::new(limits.window_entries, limits.window_bytes),
            refusal_limit: limits.window_entries * 3 / 2,
            last_position: 0,
        }
    }

    /// Records the position that the client had when it connected.
    pub(super) fn start_at(&mut self, position: Position) {
        self.last_position = position.n();
        self.credit.start_at(position);
    }

    /// Sets the last position to `n`, which is smaller if the log is shorter than before.
    pub(super) fn set_last_position(&mut self, n: u64) {
        self.last_position = n;
    }

    /// Returns the `n` of the last position that the client was sent.
    pub(super) fn last_position(&self) -> u64 {
        self.last_position
    }

    /// Queues a packet that must not be lost. There are never more than a few of them beside the
    /// credit window.
    pub(super) fn push(&mut self, outgoing: Outgoing) {
        let position = outgoing.position();
        if let Some(position) = position {
            self.last_position = self.last_position.max(position.n());
        }
        self.credit.hand_over(outgoing.size(), position);
        self.queue.push_back(outgoing);
        if planted(Fault::SwapEvents) && self.queue.back().is_some_and(Outgoing::is_entry) {
            self.queue.rotate_right(1);
        }
    }

    /// Queues a refusal. It is dropped if one and a half windows are in flight: only a client that
    /// sends without ever reading gets there.
    pub(super) fn push_refusal(&mut self, refusal: Outgoing) {
        if self.credit.in_flight() < self.refusal_limit {
            self.push(refusal);
        }
    }

    /// Queues the refusal of an event that is not handled.
    pub(super) fn push_unhandled(&mut self, event: Unhandled) {
        if self.unhandled.len() < MAX_UNHANDLED {
            self.unhandled.push_back(event);
        }
    }

    /// Takes a volatile event that the session receives by `room`. It is written when nothing else
    /// waits, and after 32 other packets (`MAX_BEFORE_VOLATILE`) in any case. `keeps_up` says
    /// whether the client does, as far as the session knows.
    pub(super) fn offer_volatile(
        &mut self,
        event: &Arc<Volatile>,
        room: &Room,
        keeps_up: bool,
    ) -> VolatileOffered {
        let in_transport = self.credit.in_window().saturating_sub(self.queue.len());
        let written = self.taken.saturating_sub(in_transport as u64);
        let due = written + MAX_BEFORE_VOLATILE as u64;
        let keeps_up = keeps_up && self.credit.is_half_free();
        self.volatile.offer(event, room, due, keeps_up)
    }

    /// Drops the volatile events of a room.
    pub(super) fn drop_volatile_of_room(&mut self, room: &Room) {
        self.volatile.drop_room(room);
    }

    /// Drops the volatile events of an order's room.
    pub(super) fn drop_volatile_of_order(&mut self, order: &OrderId) {
        self.volatile.drop_order(order);
    }

    /// Removes the next packet to write. Volatile events come last, until they are due; `volatile`
    /// says whether there may be any. Returns `None` while the transport holds `max_unwritten`
    /// packets.
    pub(super) fn take(&mut self, max_unwritten: usize, volatile: bool) -> Option<Outgoing> {
        let unwritten = self.credit.in_flight().saturating_sub(self.queue.len());
        if unwritten >= max_unwritten.min(MAX_BEFORE_VOLATILE) {
            return None;
        }
        if volatile && self.volatile.is_due(self.taken) {
            // If there is no space for it, the others wait for it.
            return self.take_volatile();
        }
        if let Some(outgoing) = self.queue.pop_front().or_else(|| self.take_refusal()) {
            self.taken += 1;
            return Some(outgoing);
        }
        if volatile { self.take_volatile() } else { None }
    }

    fn take_volatile(&mut self) -> Option<Outgoing> {
        let event = Outgoing::Volatile(Arc::clone(self.volatile.first()?));
        if !self.credit.fits_volatile(event.size()) {
            return None;
        }
        self.volatile.pop();
        self.credit
            .hand_over_volatile(event.size(), self.queue.len());
        Some(event)
    }

    fn take_refusal(&mut self) -> Option<Outgoing> {
        if self.unhandled.is_empty() || !self.credit.is_half_free() {
            return None;
        }
        let event = self.unhandled.pop_front()?;
        if self.unhandled.is_empty() {
            // Frees the memory.
            self.unhandled = VecDeque::new();
        }
        let code = event.refusal.code();
        let refusal = Outgoing::refusal(&event.name, code, None, event.ack);
        self.credit.hand_over(refusal.size(), None);
        Some(refusal)
    }

    /// Frees the memory of queues that are empty.
    pub(super) fn free_memory(&mut self) {
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
        self.credit.free_memory();
    }

    /// Returns whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.unhandled.is_empty() && self.volatile.first().is_none()
    }

    /// Gives credit back for what the connection has written.
    pub(super) fn apply_progress(&mut self, progress: Progress) {
        self.credit.apply_progress(progress);
    }

    /// Gives credit back for everything that was taken from the queue, for a transport that cannot
    /// count what it writes.
    pub(super) fn assume_taken_is_written(&mut self) {
        self.credit.assume_written_but(self.queue.len());
    }

    /// Returns the positions that the client has certainly received and that were written to it.
    pub(super) fn confirmed(&self) -> &Confirmed {
        self.credit.confirmed()
    }

    /// Returns how many packets wait here or in the transport.
    pub(super) fn in_flight(&self) -> usize {
        self.credit.in_flight()
    }

    /// Returns whether there is credit for a packet of `size` bytes.
    pub(super) fn has_credit(&self, size: usize) -> bool {
        self.credit.fits(size)
    }

    /// Returns whether at least half of the credit window is free.
    pub(super) fn is_half_free(&self) -> bool {
        self.credit.is_half_free()
    }
}
