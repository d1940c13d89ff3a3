//! The client of the stories: what was sent to it, what it received, and what it should have
//! received.

use std::sync::Arc;

use super::{super::Outgoing, fences::ClientFences};
use crate::session::wire::{READY, RESET};
use crate::{Position, Room, log::Entry, values::Epoch};

/// The events that the client received since it was last told its position, and those that it
/// should have received.
#[derive(Default)]
struct Stretch {
    members: Vec<Membership>,
    received: Vec<Arc<Entry>>,
}

/// The client's membership in a room.
struct Membership {
    room: Room,
    /// Entries after this one.
    after: u64,
    /// Entries up to this one; `u64::MAX` while the client is in the room.
    upto: u64,
}

impl Membership {
    const fn since(room: Room, after: u64) -> Self {
        Self {
            room,
            after,
            upto: u64::MAX,
        }
    }

    fn is_open(&self) -> bool {
        self.upto == u64::MAX
    }

    fn covers(&self, entry: &Entry) -> bool {
        let is_in_time = (self.after + 1..=self.upto).contains(&entry.n());
        is_in_time && entry.content().rooms().contains(&self.room)
    }
}

impl Stretch {
    fn new(rooms: impl IntoIterator<Item = Room>, after: u64) -> Self {
        let members = rooms.into_iter().map(|room| Membership::since(room, after));
        Self {
            members: members.collect(),
            received: Vec::new(),
        }
    }

    fn wants(&self, entry: &Entry) -> bool {
        entry.is_event() && self.members.iter().any(|member| member.covers(entry))
    }
}

#[derive(Default)]
pub(super) struct Client {
    /// Everything that was ever appended to the log of this epoch.
    pub(super) appended: Vec<Arc<Entry>>,
    /// The packets that were handed over and that the client has not received yet, with the index
    /// of its stretch.
    sent: Vec<(usize, Outgoing)>,
    /// The last position that it received.
    pub(super) since: Option<Position>,
    stretches: Vec<Stretch>,
    received: usize,
    /// The number of `rt:ready` sent to it since it connected or since the last `rt:reset`.
    readies: usize,
    /// The number of `rt:reset` sent to it.
    resets: usize,
    /// The number of packets with a position, other than `rt:reset`, sent to it.
    positions: usize,
    /// The log's epoch when it connected, or that of the last `rt:reset`.
    epoch: Option<Epoch>,
    pub(super) fences: ClientFences,
}

impl Client {
    /// Connects the client while the log has this epoch. What it was sent before, and has not
    /// received, is gone.
    pub(super) fn connects(&mut self, epoch: Epoch) {
        self.epoch = Some(epoch);
        self.sent.clear();
        self.stretches = vec![Stretch::default()];
        self.readies = 0;
        self.fences.connects();
    }

    /// Begins what the client should receive: the entries of these rooms after `after`.
    pub(super) fn begins(&mut self, rooms: impl IntoIterator<Item = Room>, after: u64) {
        self.stretches = vec![Stretch::new(rooms, after)];
    }

    /// Discards what was appended, since the log has a new epoch.
    pub(super) fn forgets_what_was_appended(&mut self) {
        self.appended.clear();
        self.stretches = vec![Stretch::default()];
    }

    pub(super) fn joins(&mut self, room: Room, after: u64) {
        let members = &mut self.stretch().members;
        let open = members
            .iter_mut()
            .find(|member| member.room == room && member.is_open());
        match open {
            Some(member) => member.after = after.min(member.after),
            None => members.push(Membership::since(room, after)),
        }
    }

    pub(super) fn leaves(&mut self, room: &Room, upto: u64) {
        for member in &mut self.stretch().members {
            if member.room == *room && member.is_open() {
                member.upto = upto;
            }
        }
    }

    /// Sends the client a packet. `rooms` returns the rooms that it is in.
    pub(super) fn is_sent<R: IntoIterator<Item = Room>>(
        &mut self,
        packet: Outgoing,
        rooms: impl Fn() -> R,
    ) {
        let is_reset = matches!(packet, Outgoing::Control { name: RESET, .. });
        let has_position = packet.position().is_some();
        self.positions += usize::from(has_position && !is_reset);
        if let Outgoing::Control {
            name: RESET,
            at: Some(at),
            ..
        } = &packet
        {
            self.stretches.push(Stretch::new(rooms(), at.n()));
            self.readies = 0;
            self.resets += 1;
            self.fences.is_reset();
            self.epoch = Some(at.epoch());
        }
        if matches!(packet, Outgoing::Control { name: READY, .. }) {
            self.readies += 1;
        }
        self.note_fences(&packet);
        self.sent.push((self.stretches.len() - 1, packet));
    }

    fn note_fences(&mut self, packet: &Outgoing) {
        match packet {
            Outgoing::Entry(entry, _) => self.fences.is_sent(entry),
            Outgoing::Ack { id, answer } => {
                let mut fences = std::mem::take(&mut self.fences);
                fences.is_answered(*id, answer, &self.appended, |entry| self.is_missing(entry));
                self.fences = fences;
            }
            _ => {}
        }
    }

    /// Returns whether the client should have the entry since it was last told its position, and
    /// was not sent it.
    fn is_missing(&self, entry: &Entry) -> bool {
        let last = self.stretches.len() - 1;
        let stretch = &self.stretches[last];
        let is_it = |sent: &Entry| sent.n() == entry.n();
        let is_sent = self.sent.iter().any(|packet| {
            matches!(packet, (stretch, Outgoing::Entry(sent, _)) if *stretch == last && is_it(sent))
        });
        let is_received = stretch.received.iter().any(|received| is_it(received));
        stretch.wants(entry) && !is_sent && !is_received
    }

    /// Returns how many `rt:ready` were sent to it since it connected or since the last `rt:reset`.
    pub(super) fn readies_sent(&self) -> usize {
        self.readies
    }

    /// Returns whether it was told of every epoch since it connected, if the log has this one.
    pub(super) fn knows_of(&self, epoch: Epoch) -> bool {
        self.epoch == Some(epoch)
    }

    /// Returns how many `rt:reset` were sent to it.
    pub(super) fn resets_sent(&self) -> usize {
        self.resets
    }

    /// Returns how many packets that have a position, other than `rt:reset`, were sent to it.
    pub(super) fn positions_sent(&self) -> usize {
        self.positions
    }

    pub(super) fn packets_sent(&self) -> usize {
        self.sent.len()
    }

    /// Returns how many entries were sent to it in all.
    pub(super) fn entries_sent(&self) -> usize {
        self.received
            + self
                .sent
                .iter()
                .filter(|packet| matches!(packet, (_, Outgoing::Entry(..))))
                .count()
    }

    /// Returns the last `count` entries that were sent to it and that it has not received yet.
    pub(super) fn last_entries_sent(&self, count: usize) -> impl Iterator<Item = &Arc<Entry>> {
        let packets = self.sent.iter().rev();
        let entries = packets.filter_map(|(_, packet)| match packet {
            Outgoing::Entry(entry, _) => Some(entry),
            _ => None,
        });
        entries.take(count)
    }

    /// Receives up to `count` of the packets that were sent to it.
    pub(super) fn receives(&mut self, count: usize) -> Result<(), String> {
        let count = count.min(self.sent.len());
        for (stretch, packet) in self.sent.drain(..count) {
            self.since = packet.position().or(self.since);
            if let Outgoing::Entry(entry, _) = packet {
                self.stretches[stretch].received.push(entry);
                self.received += 1;
            }
        }
        self.check_so_far()
    }

    fn stretch(&mut self) -> &mut Stretch {
        self.stretches.last_mut().unwrap()
    }

    /// Checks that the client received what it should have so far, in order and once each.
    pub(super) fn check_so_far(&self) -> Result<(), String> {
        for stretch in &self.stretches {
            let received: Vec<u64> = stretch.received.iter().map(|entry| entry.n()).collect();
            let wanted = self.wanted(stretch);
            if !wanted.starts_with(&received) {
                return Err(format!("received {received:?} of {wanted:?}"));
            }
        }
        Ok(())
    }

    /// Checks that the client received everything that it should have since it was last told its
    /// position.
    pub(super) fn check_all(&self) -> Result<(), String> {
        self.check_so_far()?;
        let Some(last) = self.stretches.last() else {
            return Ok(());
        };
        let received = last.received.len();
        let wanted = self.wanted(last);
        if received == wanted.len() {
            Ok(())
        } else {
            Err(format!("{received} of {wanted:?} were received"))
        }
    }

    fn wanted(&self, stretch: &Stretch) -> Vec<u64> {
        self.appended
            .iter()
            .filter(|entry| stretch.wants(entry))
            .map(|entry| entry.n())
            .collect()
    }
}
