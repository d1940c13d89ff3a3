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
use crate::{Limits, OrderId, Position, Room};

/// The most refusals of unhandled events that wait. Further ones are dropped: only a client that
/// floods its session gets there.
const MAX_UNHANDLED: usize = 4_096;

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
            volatile: VolatileQueue::default(),
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

    /// Takes a volatile event. It is written at once if no packet is in flight, otherwise after all
    /// packets that are.
    pub(super) fn offer_volatile(&mut self, event: &Arc<Volatile>, room: &Room) -> VolatileOffered {
        self.volatile.offer(event, room)
    }

    /// Drops the volatile events of a room.
    pub(super) fn drop_volatile_of_room(&mut self, room: &Room) {
        self.volatile.drop_room(room);
    }

    /// Drops the volatile events of an order's room.
    pub(super) fn drop_volatile_of_order(&mut self, order: &OrderId) {
        self.volatile.drop_order(order);
    }

    /// Removes the next packet to write. Packets that must not be lost come first. A volatile event
    /// follows when all of them are written. Returns `None` while the transport holds
    /// `max_unwritten` packets.
    pub(super) fn take(&mut self, max_unwritten: usize) -> Option<Outgoing> {
        let unwritten = self.credit.in_flight().saturating_sub(self.queue.len());
        if unwritten >= max_unwritten {
            return None;
        }
        if let Some(outgoing) = self.queue.pop_front() {
            return Some(outgoing);
        }
        if !self.unhandled.is_empty() {
            return self.take_refusal();
        }
        if self.credit.in_flight() > 0 {
            return None;
        }
        let event = Outgoing::Volatile(self.volatile.pop()?);
        self.credit.hand_over(event.size(), None);
        Some(event)
    }

    fn take_refusal(&mut self) -> Option<Outgoing> {
        if !self.credit.is_half_free() {
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
