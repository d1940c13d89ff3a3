//! The admission of entries and volatile events to a session's outbox, and their hand-over.

use std::sync::Arc;

use super::SessionState;
use crate::{
    Room,
    log::Entry,
    planted_faults::{Fault, planted},
    session::{Outgoing, packet::Volatile, phase::Phase, volatile_queue::VolatileOffered},
    values::Moment,
};

/// The result of offering an entry to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    /// The entry is not for this session, or the session is not live.
    NotWanted,
    /// The entry was queued. Wake the port.
    Queued,
    /// There was no credit, and the session fell back to catching up. Wake the port.
    NoCredit,
}

impl SessionState {
    fn wants(&self, entry: &Entry, room: &Room) -> bool {
        let cursor = self.phase.cursor();
        entry.is_event()
            && cursor.is_some_and(|cursor| entry.n() > cursor.n())
            && self.rooms.wants(room, entry.n())
    }

    /// Returns whether the entry is for this session, by any of its rooms.
    pub(in crate::session) fn wants_any(&self, entry: &Entry) -> bool {
        let mut rooms = entry.content().rooms().iter();
        rooms.any(|room| self.wants(entry, room))
    }

    /// Takes an entry of `room` from the dispatcher.
    pub(in crate::session) fn offer(&mut self, entry: &Arc<Entry>, room: &Room) -> Offered {
        if !matches!(self.phase, Phase::Live(_)) || !self.wants(entry, room) {
            return Offered::NotWanted;
        }
        if !self.outbox.has_credit(entry.content().size()) {
            self.fall_back(entry.n() - 1);
            return Offered::NoCredit;
        }
        self.phase.advance_to(entry.n());
        if planted(Fault::DropEvent) && !self.outbox.is_empty() {
            return Offered::NotWanted;
        }
        self.push_entry(entry, entry.committed());
        if planted(Fault::DeliverCopy) {
            self.push_entry(entry, None);
        }
        Offered::Queued
    }

    /// Returns whether the entry is for this session only by rooms of which it may be handed
    /// nothing now.
    fn is_withheld(&self, entry: &Entry) -> bool {
        let is_free = |room: &Room| {
            let order = room.order();
            !order.is_some_and(|order| self.rechecks.withholds(order, entry.n()))
        };
        let mut rooms = entry.content().rooms().iter();
        !rooms.any(|room| self.wants(entry, room) && is_free(room))
    }

    /// Hands over an entry while catching up. Returns `false` if there is no credit, or if access
    /// to its room is to be decided first; the cursor then stays before the entry.
    pub(in crate::session) fn replay(&mut self, entry: &Arc<Entry>) -> bool {
        if self.is_withheld(entry) {
            self.phase.advance_to(entry.n() - 1);
            self.rechecks.withhold_from(entry.n());
            return false;
        }
        let size = entry.content().size();
        if !self.outbox.has_credit(size) {
            self.phase.block(size);
            return false;
        }
        self.phase.replay(entry.n());
        if planted(Fault::ResumeLosesOne) && self.outbox.is_empty() {
            return true;
        }
        self.push_entry(entry, None);
        if planted(Fault::ReplayRenamed) {
            self.push_entry(&Arc::new(entry.renamed()), None);
        }
        true
    }

    fn push_entry(&mut self, entry: &Arc<Entry>, committed: Option<Moment>) {
        let outgoing = Outgoing::Entry(Arc::clone(entry), committed);
        self.outbox.push(outgoing);
    }

    /// Takes a volatile event that was sent to several rooms, for the one at `index`, if it is the
    /// first by which the session may receive the event: so it receives it once.
    pub(in crate::session) fn offer_volatile(
        &mut self,
        event: &Arc<Volatile>,
        index: usize,
    ) -> VolatileOffered {
        let mut rooms = event.rooms.iter();
        if rooms.position(|room| self.may_replay_room(room)) != Some(index) {
            return VolatileOffered::NotWanted;
        }
        let is_live = matches!(self.phase, Phase::Live(_));
        self.outbox
            .offer_volatile(event, &event.rooms[index], is_live)
    }

    /// Removes the next packet to write; see [`Outbox::take`]. Volatile events wait until the
    /// session has started, and until the client is told to reload.
    pub(in crate::session) fn take(&mut self, max_unwritten: usize) -> Option<Outgoing> {
        let volatile = matches!(self.phase, Phase::CatchingUp(_) | Phase::Live(_));
        self.outbox.take(max_unwritten, volatile)
    }
}
