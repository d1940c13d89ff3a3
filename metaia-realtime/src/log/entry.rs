//! Entries: events in the log, and the control entries between them.

use std::{
    collections::HashSet,
    sync::{Arc, OnceLock},
};

use serde_json::value::RawValue;

use crate::{
    EventId, IntoEvent, OrderId, Position, Room, SessionId, UserId,
    event::{EventError, EventName, Payload, stamp},
    log::control::{self, Control},
    values::Epoch,
};

/// An entry that is not in the log yet.
#[derive(Debug, Clone)]
pub struct NewEntry {
    pub(crate) id: EventId,
    pub(crate) rooms: Arc<[Room]>,
    pub(crate) name: EventName,
    pub(crate) payload: Payload,
}

impl NewEntry {
    /// An event for those in any of `rooms`; whoever is in several gets it once.
    ///
    /// # Errors
    /// Where the event cannot be logged: see [`EventError`]. The size is checked when it is
    /// published.
    pub fn event(rooms: impl Into<Arc<[Room]>>, event: impl IntoEvent) -> Result<Self, EventError> {
        let (name, json) = event.into_event()?;
        Ok(Self {
            id: EventId::random(),
            rooms: once_each(rooms.into()),
            name,
            payload: json.try_into()?,
        })
    }

    /// Asks the policy again for everybody in the order's room, at this place in the order of
    /// events. Clients never see it.
    #[must_use]
    pub fn recheck(order: OrderId) -> Self {
        Self::control(&Control::Recheck(order))
    }

    /// Ends the user's sessions, on every node: those that began before this place in the order of
    /// events. Clients never see it; official ones stay away.
    #[must_use]
    pub fn disconnect_user(user: UserId) -> Self {
        Self::control(&Control::DisconnectUser(user))
    }

    /// Ends a session, on whichever node it is. Its client never sees it; an official one stays
    /// away.
    #[must_use]
    pub fn disconnect_session(session: SessionId) -> Self {
        Self::control(&Control::DisconnectSession(session))
    }

    fn control(control: &Control) -> Self {
        let (name, rooms, payload) = control.written();
        Self {
            id: EventId::random(),
            rooms,
            name: EventName::system(name),
            payload,
        }
    }

    /// What was appended, out of a store. A payload was checked when it was made.
    #[cfg(any(feature = "mongodb", feature = "sqlite"))]
    pub(crate) fn stored(
        id: EventId,
        rooms: impl Into<Arc<[Room]>>,
        name: &str,
        payload: String,
    ) -> Result<Self, EventError> {
        let name = match control::name(name) {
            Some(name) => EventName::system(name),
            None => EventName::of_stored(name)?,
        };
        Ok(Self {
            id,
            rooms: rooms.into(),
            name,
            payload: Payload::from_json(payload)?,
        })
    }

    /// The same entry under an id of the caller's, who can then append it again without doubling
    /// it.
    #[must_use]
    pub fn with_id(mut self, id: EventId) -> Self {
        self.id = id;
        self
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> EventId {
        self.id
    }

    /// Where it is published.
    #[must_use]
    pub fn rooms(&self) -> &[Room] {
        &self.rooms
    }

    /// Its name: an event's, or, beginning with `rt:`, a control entry's.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Its payload.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// What it takes encoded, in bytes, with all that is added to it.
    #[must_use]
    pub fn size(&self) -> usize {
        /// `42["",]` and `,"_rt":{"id":"…","at":"…","ts":…}` at their longest.
        const FRAME: usize = 7 + 150;
        self.name().len() + self.payload.as_str().len() + FRAME
    }
}

/// The rooms without repetitions, in the order given: logs keep an index by room.
fn once_each(rooms: Arc<[Room]>) -> Arc<[Room]> {
    let repeated = |(index, room): (usize, &Room)| rooms[..index].contains(room);
    if rooms.len() > 1 && rooms.iter().enumerate().any(repeated) {
        let mut seen = HashSet::new();
        return rooms
            .iter()
            .filter(|room| seen.insert(*room))
            .cloned()
            .collect();
    }
    rooms
}

/// An entry of the log. Its encoding is made once, by whoever needs it first, and shared by all
/// sessions.
#[derive(Debug)]
pub struct Entry {
    epoch: Epoch,
    n: u64,
    ts: i64,
    new: NewEntry,
    stamped: OnceLock<Box<RawValue>>,
}

impl Entry {
    /// The entry with the number `n`, committed at `ts` (ms since the Unix epoch).
    #[must_use]
    pub const fn new(epoch: Epoch, n: u64, ts: i64, new: NewEntry) -> Self {
        Self {
            epoch,
            n,
            ts,
            new,
            stamped: OnceLock::new(),
        }
    }

    /// Its place in the order.
    #[must_use]
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// When it was committed, in ms since the Unix epoch.
    #[must_use]
    pub const fn ts(&self) -> i64 {
        self.ts
    }

    /// The position after it.
    #[must_use]
    pub fn position(&self) -> Position {
        Position::of(self.epoch, self.n, self.new.id)
    }

    /// What was appended.
    #[must_use]
    pub const fn content(&self) -> &NewEntry {
        &self.new
    }

    /// Whether this is for nodes, and no event for clients.
    pub(crate) fn is_control(&self) -> bool {
        self.new.name().starts_with(control::PREFIX)
    }

    /// What nodes are to do, where this is such an entry.
    pub(crate) fn control(&self) -> Option<Control> {
        self.is_control()
            .then(|| Control::read(self.new.name(), &self.new.rooms, &self.new.payload))
            .flatten()
    }

    /// The payload as clients get it.
    pub(crate) fn stamped(&self) -> &RawValue {
        self.stamped
            .get_or_init(|| stamp(&self.new.payload, self.new.id, self.position(), self.ts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_room_that_is_named_twice_counts_once() {
        let room = |id: &str| Room::Order(id.parse().unwrap());
        let new = NewEntry::event([room("b"), room("a"), room("b")], ("n", json!({}))).unwrap();
        assert_eq!(new.rooms(), [room("b"), room("a")]);
    }

    #[test]
    fn the_size_is_never_less_than_what_goes_on_the_wire() {
        let new = NewEntry::event([Room::Everyone], ("n", json!({ "a": "ä\n" }))).unwrap();
        let size = new.size();
        let entry = Entry::new(Epoch::from_bits(u64::MAX), (1 << 53) - 1, i64::MAX, new);
        assert!(size >= format!(r#"42["n",{}]"#, entry.stamped()).len());
    }
}
