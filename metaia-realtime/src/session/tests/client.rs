//! The client of the stories: what was sent to it, what it got, and what it should have got.

use std::sync::Arc;

use super::super::Outgoing;
use crate::session::wire::RESET;
use crate::{Position, Room, log::Entry};

/// What the client got since it was last told where it stands, and what it should have got.
#[derive(Default)]
struct Stretch {
    /// Rooms, from which `n` on, and up to which.
    member: Vec<(Room, u64, u64)>,
    got: Vec<Arc<Entry>>,
}

impl Stretch {
    fn new(rooms: impl IntoIterator<Item = Room>, after: u64) -> Self {
        let member = rooms.into_iter().map(|room| (room, after, u64::MAX));
        Self {
            member: member.collect(),
            got: Vec::new(),
        }
    }

    fn wants(&self, entry: &Entry) -> bool {
        let is_in = |room: &Room| {
            let of = |(of, from, to): &(Room, u64, u64)| {
                of == room && (*from + 1..=*to).contains(&entry.n())
            };
            self.member.iter().any(of)
        };
        !entry.is_control() && entry.content().rooms().iter().any(is_in)
    }
}

#[derive(Default)]
pub(super) struct Client {
    /// All that was ever appended to the log of this epoch.
    pub(super) appended: Vec<Arc<Entry>>,
    /// What the session handed over and the client has not got yet, each with its stretch.
    sent: Vec<(usize, Outgoing)>,
    /// The last position that it got.
    pub(super) since: Option<Position>,
    stretches: Vec<Stretch>,
    received: usize,
}

impl Client {
    /// It is connected, in these rooms; `after`: where it is told to be.
    pub(super) fn begins(&mut self, rooms: impl IntoIterator<Item = Room>, after: u64) {
        self.sent.clear();
        self.stretches = vec![Stretch::new(rooms, after)];
    }

    /// The log's history is another one from here on.
    pub(super) fn forgets_what_was_appended(&mut self) {
        self.appended.clear();
        self.stretches = vec![Stretch::default()];
    }

    pub(super) fn joins(&mut self, room: Room, from: u64) {
        let member = &mut self.stretch().member;
        match member
            .iter_mut()
            .find(|(of, _, to)| *of == room && *to == u64::MAX)
        {
            Some((_, since, _)) => *since = from.min(*since),
            None => member.push((room, from, u64::MAX)),
        }
    }

    pub(super) fn leaves(&mut self, room: &Room, upto: u64) {
        let member = self.stretch().member.iter_mut();
        for (_, _, to) in member.filter(|(of, _, to)| of == room && *to == u64::MAX) {
            *to = upto;
        }
    }

    /// A packet is on its way to it, when it is in `rooms`.
    pub(super) fn is_sent<R: IntoIterator<Item = Room>>(
        &mut self,
        packet: Outgoing,
        rooms: impl Fn() -> R,
    ) {
        if let Outgoing::Control {
            name: RESET,
            at: Some(at),
            ..
        } = &packet
        {
            self.stretches.push(Stretch::new(rooms(), at.n()));
        }
        self.sent.push((self.stretches.len() - 1, packet));
    }

    pub(super) fn packets_sent(&self) -> usize {
        self.sent.len()
    }

    /// How many entries were sent to it in all.
    pub(super) fn entries_sent(&self) -> usize {
        self.received
            + self
                .sent
                .iter()
                .filter(|packet| matches!(packet, (_, Outgoing::Entry(_))))
                .count()
    }

    /// It gets so many of the packets that were sent to it.
    pub(super) fn receives(&mut self, count: usize) -> Result<(), String> {
        let count = count.min(self.sent.len());
        for (stretch, packet) in self.sent.drain(..count) {
            self.since = packet.position().or(self.since);
            if let Outgoing::Entry(entry) = packet {
                self.stretches[stretch].got.push(entry);
                self.received += 1;
            }
        }
        self.check_so_far()
    }

    fn stretch(&mut self) -> &mut Stretch {
        self.stretches.last_mut().unwrap()
    }

    /// What came is what should have come so far, in order and once each.
    pub(super) fn check_so_far(&self) -> Result<(), String> {
        for stretch in &self.stretches {
            let got: Vec<u64> = stretch.got.iter().map(|entry| entry.n()).collect();
            let wanted = self.wanted(stretch);
            if !wanted.starts_with(&got) {
                return Err(format!("got {got:?} of {wanted:?}"));
            }
        }
        Ok(())
    }

    /// Everything came that should have come since it was last told where it stands.
    pub(super) fn check_all(&self) -> Result<(), String> {
        self.check_so_far()?;
        let Some(last) = self.stretches.last() else {
            return Ok(());
        };
        let (got, wanted) = (last.got.len(), self.wanted(last));
        if got == wanted.len() {
            Ok(())
        } else {
            Err(format!("{got} of {wanted:?} came"))
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
