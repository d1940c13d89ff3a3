//! Entries: events in the log, and the control entries between them.

use std::{
    collections::HashSet,
    sync::{Arc, OnceLock},
};

use serde_json::value::RawValue;

use crate::{
    IntoEvent, OrderId, Position, Room, UserId,
    event::{EventError, EventName, Payload, stamp},
    log::control::{self, Control},
    values::{Epoch, EventId, SessionId},
};

/// An entry to append: the log has not numbered it yet.
#[derive(Debug, Clone)]
pub struct NewEntry {
    pub(crate) id: EventId,
    pub(crate) rooms: Arc<[Room]>,
    pub(crate) name: EventName,
    pub(crate) payload: Payload,
}

impl NewEntry {
    /// Creates an event for the sessions in any of `rooms`. A session in several of them receives
    /// it once.
    ///
    /// ```
    /// use metaia_realtime::{NewEntry, Role, Room};
    ///
    /// let rooms = [Room::Order("o1".parse()?), Room::Role(Role::Admin)];
    /// let entry = NewEntry::event(rooms, ("order_ready", serde_json::json!({ "order": "o1" })))?;
    /// assert_eq!(entry.name(), "order_ready");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`EventError`] if the event cannot be logged. The size is checked later, at the
    /// publish.
    pub fn event(rooms: impl Into<Arc<[Room]>>, event: impl IntoEvent) -> Result<Self, EventError> {
        let (name, json) = event.into_event()?;
        Ok(Self {
            id: EventId::random(),
            rooms: without_repetitions(rooms.into()),
            name,
            payload: json.try_into()?,
        })
    }

    /// Creates a control entry: every node asks the policy again for all sessions in the order's
    /// room, at this place in the order of events. Clients never receive the entry.
    #[must_use]
    pub fn recheck(order: OrderId) -> Self {
        Self::control(&Control::Recheck(order))
    }

    /// Creates a control entry: every node ends the user's sessions that began before this place in
    /// the order of events. Clients never receive the entry. Official clients do not reconnect.
    #[must_use]
    pub fn disconnect_user(user: UserId) -> Self {
        Self::control(&Control::DisconnectUser(user))
    }

    /// Creates a control entry: the node that has the session ends it. The client never receives
    /// the entry. An official client does not reconnect.
    #[must_use]
    pub fn disconnect_session(session: SessionId) -> Self {
        Self::control(&Control::DisconnectSession(session))
    }

    fn control(control: &Control) -> Self {
        let (name, rooms, payload) = control.encode();
        Self {
            id: EventId::random(),
            rooms,
            name: EventName::system(name),
            payload,
        }
    }

    /// Returns the entry that a store has read back.
    ///
    /// Only the shape is checked again: whether clients can read the payload was checked when it
    /// was published.
    #[cfg(any(feature = "mongodb", feature = "sqlite"))]
    pub(crate) fn stored(
        id: EventId,
        rooms: impl Into<Arc<[Room]>>,
        name: &str,
        payload: String,
    ) -> Result<Self, EventError> {
        let name = match control::known_name(name) {
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

    /// Sets the entry's id. A caller that chooses the id can append the entry again without
    /// doubling it, for as long as the log has the first one: after it is trimmed, the same id
    /// makes a new entry.
    #[must_use]
    pub fn with_id(mut self, id: EventId) -> Self {
        self.id = id;
        self
    }

    /// Returns the event's id.
    #[must_use]
    pub const fn id(&self) -> EventId {
        self.id
    }

    /// Returns the rooms that it is published to.
    #[must_use]
    pub fn rooms(&self) -> &[Room] {
        &self.rooms
    }

    /// Returns the name of the event or, if it begins with `rt:`, of the control entry.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Returns the payload.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// Returns the size of the encoded entry in bytes, with everything that is added on the wire.
    #[must_use]
    pub fn size(&self) -> usize {
        // `42["",]` and `,"_rt":{"id":"…","at":"…","ts":…}` at their longest.
        const FRAME: usize = 7 + 150;
        self.name().len() + self.payload.as_str().len() + FRAME
    }
}

/// Returns the rooms without repetitions, in the given order: logs keep an index by room.
fn without_repetitions(rooms: Arc<[Room]>) -> Arc<[Room]> {
    let is_repeated = |(index, room): (usize, &Room)| rooms[..index].contains(room);
    // Repetitions are rare: the usual case does not allocate.
    if !rooms.iter().enumerate().any(is_repeated) {
        return rooms;
    }
    let mut seen = HashSet::new();
    let first_ones = rooms.iter().filter(|room| seen.insert(*room));
    first_ones.cloned().collect()
}

/// An entry of the log. The first session that needs its encoding makes it, and all sessions share
/// it.
#[derive(Debug)]
pub struct Entry {
    epoch: Epoch,
    n: u64,
    ts: i64,
    new: NewEntry,
    stamped: OnceLock<Box<RawValue>>,
}

impl Entry {
    /// Returns the entry with number `n`, committed at `ts` (in ms since the Unix epoch).
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

    /// Returns the entry's number in the order of the log.
    #[must_use]
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// Returns the time of the commit, in ms since the Unix epoch.
    #[must_use]
    pub const fn ts(&self) -> i64 {
        self.ts
    }

    /// Returns the position after the entry.
    #[must_use]
    pub fn position(&self) -> Position {
        Position::new(self.epoch, self.n, self.new.id)
    }

    /// Returns the entry as it was appended.
    #[must_use]
    pub const fn content(&self) -> &NewEntry {
        &self.new
    }

    /// Returns whether this is a control entry for nodes and not an event for clients.
    pub(crate) fn is_control(&self) -> bool {
        self.new.name().starts_with(control::PREFIX)
    }

    /// Returns the instruction to nodes, if this is a control entry.
    pub(crate) fn control(&self) -> Option<Control> {
        if !self.is_control() {
            return None;
        }
        Control::decode(self.new.name(), &self.new.rooms, &self.new.payload)
    }

    /// Returns the payload as clients receive it.
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
    fn a_room_that_is_given_twice_counts_once() {
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
