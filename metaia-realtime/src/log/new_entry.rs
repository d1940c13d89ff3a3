//! Entries to append: events, and the control entries between them.

use std::{collections::HashSet, sync::Arc};

use super::{
    control::{Control, is_control_name},
    kind::EntryKind,
};
use crate::{
    IntoEvent, OrderId, Room, UserId,
    event::{EventError, EventName, Payload},
    values::{EventId, SessionId, UnknownRoom},
};

/// An entry to append: the log has not numbered it yet.
#[derive(Debug, Clone)]
pub struct NewEntry {
    id: EventId,
    rooms: Arc<[Room]>,
    name: EventName,
    payload: Payload,
    kind: EntryKind,
}

impl NewEntry {
    /// The largest number of rooms of an event: 256. Logs write each of them. Stored entries of
    /// earlier versions may have more.
    pub const MAX_ROOMS: usize = 256;

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
    /// Returns [`EventError`] if the event cannot be logged, also if it has more than
    /// [`MAX_ROOMS`](Self::MAX_ROOMS) different rooms. The size is checked later, at the publish.
    pub fn event(rooms: impl Into<Arc<[Room]>>, event: impl IntoEvent) -> Result<Self, EventError> {
        let (name, json) = event.into_event()?;
        let rooms = without_repetitions(rooms.into());
        if rooms.len() > Self::MAX_ROOMS {
            let limit = Self::MAX_ROOMS;
            let rooms = rooms.len();
            return Err(EventError::TooManyRooms { rooms, limit });
        }
        Ok(Self {
            id: EventId::random(),
            rooms,
            name,
            payload: json.try_into()?,
            kind: EntryKind::Event,
        })
    }

    /// Creates a control entry: every node asks the policy again for all sessions in the order's
    /// room, at this place in the order of events. Clients never receive the entry.
    #[must_use]
    pub fn recheck(order: OrderId) -> Self {
        Self::control(Control::Recheck(order))
    }

    /// Creates a control entry: every node ends the user's sessions that began before this place in
    /// the order of events. Clients never receive the entry. Official clients do not reconnect.
    #[must_use]
    pub fn disconnect_user(user: UserId) -> Self {
        Self::control(Control::DisconnectUser(user))
    }

    /// Creates a control entry: the node that has the session ends it. The client never receives
    /// the entry. An official client does not reconnect.
    #[must_use]
    pub fn disconnect_session(session: SessionId) -> Self {
        Self::control(Control::DisconnectSession(session))
    }

    /// Returns the entry under another id.
    pub(super) fn renamed(&self) -> Self {
        Self {
            id: EventId::random(),
            ..self.clone()
        }
    }

    fn control(control: Control) -> Self {
        let (name, rooms, payload) = control.encode();
        Self {
            id: EventId::random(),
            rooms,
            name: EventName::system(name),
            payload,
            kind: EntryKind::Control(control),
        }
    }

    /// Returns an entry that a log has stored, from the text of its parts: for a log of your own
    /// that reads back what was appended. Use it for nothing else: it does not check again whether
    /// clients can read the event.
    ///
    /// An entry whose name begins with `rt:` is a control entry. If this version cannot read it,
    /// because a newer version made it or because it is damaged, it is an entry all the same: each
    /// node decides the access of its sessions to orders again when it comes to it. So a node of an
    /// older version can read the log of a newer one. Of such an entry, [`rooms`](Self::rooms) and
    /// [`payload`](Self::payload) return only what this version can read: to copy stored entries,
    /// copy their text.
    ///
    /// ```
    /// use metaia_realtime::NewEntry;
    ///
    /// let entry = NewEntry::recheck("o1".parse()?);
    /// let rooms = entry.rooms().iter().map(ToString::to_string);
    /// let payload = entry.payload().as_str().to_owned();
    /// let read_back = NewEntry::stored(entry.id(), rooms, entry.name(), payload)?;
    /// assert_eq!((read_back.name(), read_back.rooms()), (entry.name(), entry.rooms()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`DamagedEntry`] if the entry is an event that cannot have been appended.
    pub fn stored(
        id: EventId,
        rooms: impl IntoIterator<Item: AsRef<str>>,
        name: &str,
        payload: String,
    ) -> Result<Self, DamagedEntry> {
        let rooms = rooms.into_iter().map(|room| room.as_ref().parse());
        if is_control_name(name) {
            return Ok(Self::stored_control(id, rooms.collect(), name, payload));
        }
        let rooms: Result<Vec<Room>, UnknownRoom> = rooms.collect();
        Ok(Self {
            id,
            rooms: rooms.map_err(|_| DamagedEntry)?.into(),
            name: EventName::of_stored(name).map_err(|_| DamagedEntry)?,
            payload: Payload::from_json(payload).map_err(|_| DamagedEntry)?,
            kind: EntryKind::Event,
        })
    }

    /// Returns a control entry that a log has stored. Rooms and payload of one that cannot be read
    /// are kept as far as they have the shape of such.
    fn stored_control(
        id: EventId,
        rooms: Vec<Result<Room, UnknownRoom>>,
        name: &str,
        payload: String,
    ) -> Self {
        let has_unknown_room = rooms.iter().any(Result::is_err);
        let rooms: Arc<[Room]> = rooms.into_iter().flatten().collect();
        let payload = Payload::from_json(payload).ok();
        let control = match &payload {
            Some(payload) if !has_unknown_room => Control::decode(name, &rooms, payload),
            _ => None,
        };
        Self {
            id,
            rooms,
            name: EventName::system(name),
            payload: payload.unwrap_or_else(Payload::empty),
            kind: control.map_or(EntryKind::Unreadable, EntryKind::Control),
        }
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

    /// Returns for whom the entry is.
    pub(crate) const fn kind(&self) -> &EntryKind {
        &self.kind
    }

    /// Returns the size of the encoded entry in bytes, with everything that is added on the wire.
    #[must_use]
    pub fn size(&self) -> usize {
        // `42["",]` and `,"_rt":{"id":"…","at":"…","ts":…}` at their longest.
        const FRAME: usize = 7 + 150;
        self.name().len() + self.payload.as_str().len() + FRAME
    }

    /// Returns the size of the entry in bytes as logs store it: the encoded entry and the names of
    /// its rooms. [`Limits::entry_bytes`](crate::Limits::entry_bytes) bounds it.
    ///
    /// It is not the size that the log's bytes are counted in: nodes of earlier versions count
    /// those of the same entries without rooms.
    #[must_use]
    pub fn stored_size(&self) -> usize {
        let rooms = self.rooms.iter().map(Room::to_string);
        self.size() + rooms.map(|room| room.len()).sum::<usize>()
    }
}

/// Returns the rooms without repetitions, in the given order: logs keep an index by room.
fn without_repetitions(rooms: Arc<[Room]>) -> Arc<[Room]> {
    let mut seen = HashSet::with_capacity(rooms.len());
    // By their hashes: comparing each with all before it would take a time that grows with the
    // square of their number.
    let first_ones: Vec<&Room> = rooms.iter().filter(|room| seen.insert(*room)).collect();
    // Repetitions are rare: the usual case does not copy the rooms.
    if first_ones.len() == rooms.len() {
        return rooms;
    }
    first_ones.into_iter().cloned().collect()
}

/// Reason why a stored entry cannot be read back: it is an event that cannot have been appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored entry is not one that can have been appended")]
pub struct DamagedEntry;

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

    fn orders(count: usize) -> Vec<Room> {
        let room = |n| Room::Order(format!("o{n}").parse().unwrap());
        (0..count).map(room).collect()
    }

    #[test]
    fn an_event_has_at_most_256_rooms() {
        let most = orders(NewEntry::MAX_ROOMS);
        // Repetitions do not count.
        let twice: Vec<Room> = most.iter().chain(&most).cloned().collect();
        assert_eq!(
            NewEntry::event(twice, ("n", json!({}))).unwrap().rooms(),
            most
        );
        let more = orders(NewEntry::MAX_ROOMS + 1);
        let refused = NewEntry::event(more.clone(), ("n", json!({}))).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the event is published to 257 rooms, at most 256 are allowed"
        );
        // Earlier versions have stored such entries.
        let names: Vec<String> = more.iter().map(ToString::to_string).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(stored(&names, "n", "{}").unwrap().rooms(), more);
    }

    #[test]
    fn rooms_count_in_the_stored_size() {
        let size = |count| {
            let entry = NewEntry::event(orders(count), ("n", json!({}))).unwrap();
            entry.stored_size() - entry.size()
        };
        assert_eq!((size(0), size(2)), (0, "order-o0order-o1".len()));
    }

    fn stored(rooms: &[&str], name: &str, payload: &str) -> Result<NewEntry, DamagedEntry> {
        NewEntry::stored(EventId::random(), rooms, name, payload.to_owned())
    }

    #[track_caller]
    fn check_reads_back(new: &NewEntry) {
        let rooms = new.rooms().iter().map(ToString::to_string);
        let payload = new.payload().as_str().to_owned();
        let read = NewEntry::stored(new.id(), rooms, new.name(), payload).unwrap();
        assert_eq!(read.kind(), new.kind());
        assert_eq!(
            (
                read.id(),
                read.rooms(),
                read.name(),
                read.payload().as_str()
            ),
            (new.id(), new.rooms(), new.name(), new.payload().as_str())
        );
    }

    #[test]
    fn an_entry_reads_back_as_what_it_is() {
        check_reads_back(&NewEntry::event([Room::Everyone], ("n", json!({ "id": "u1" }))).unwrap());
        check_reads_back(&NewEntry::recheck("o1".parse().unwrap()));
        check_reads_back(&NewEntry::disconnect_user("null".parse().unwrap()));
        check_reads_back(&NewEntry::disconnect_session(SessionId::random()));
    }

    #[test]
    fn a_control_entry_that_cannot_be_read_is_no_event_and_no_damage() {
        for (rooms, name, payload) in [
            (&["order-o1"][..], "rt:of_a_newer_version", "{}"),
            (&[], "rt:", "{}"),
            (&[], "rt:\u{0}name that no version writes", "{}"),
            (&[], "rt:recheck", "{}"),
            (&["order-o1", "order-o2"], "rt:recheck", "{}"),
            (&["order-o1", "team-7"], "rt:recheck", "{}"),
            (&["order-o1"], "rt:recheck", "{"),
            (&[], "rt:disconnect_user", "{}"),
            (&[], "rt:disconnect_user", r#"["u1"]"#),
            (&[], "rt:disconnect_user", r#"{"id":"not an id"}"#),
            (&[], "rt:disconnect_session", r#"{"id":7}"#),
        ] {
            let read = stored(rooms, name, payload).unwrap();
            assert_eq!(*read.kind(), EntryKind::Unreadable, "{name} {payload}");
            assert_eq!(read.name(), name);
        }
    }

    #[test]
    fn an_event_that_cannot_have_been_appended_is_damaged() {
        for (rooms, name, payload) in [
            (&["team-7"][..], "n", "{}"),
            (&[], "a name", "{}"),
            (&[], "n", "[]"),
            (&[], "n", "{"),
        ] {
            assert!(stored(rooms, name, payload).is_err(), "{name} {payload}");
        }
    }
}
