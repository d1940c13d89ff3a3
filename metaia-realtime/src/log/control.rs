//! Control entries: instructions to all nodes, at a place in the order of events. Clients never
//! receive them.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use crate::{OrderId, Room, UserId, event::Payload, values::SessionId};

/// The prefix of control entries' names, which no event's name has.
const PREFIX: &str = "rt:";

const RECHECK: &str = "rt:recheck";
const DISCONNECT_USER: &str = "rt:disconnect_user";
const DISCONNECT_SESSION: &str = "rt:disconnect_session";

/// The instruction of a control entry to every node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Control {
    /// Decide access to the order again, for every session in its room.
    Recheck(OrderId),
    /// End the user's sessions that began before this entry.
    DisconnectUser(UserId),
    /// End this session.
    DisconnectSession(SessionId),
}

/// Returns whether an entry with this name is a control entry, of whatever kind.
pub(super) fn is_control_name(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// The payload of a disconnect entry: the id of a user or of a session.
#[derive(Deserialize)]
struct Disconnected<Id> {
    id: Id,
}

impl Control {
    /// Returns the name, the rooms and the payload of the entry.
    ///
    /// The id to disconnect is in the payload and not a room: in a room the entry would count among
    /// those that the room's clients have missed.
    pub(super) fn encode(&self) -> (&'static str, Arc<[Room]>, Payload) {
        match self {
            Self::Recheck(order) => {
                let room = [Room::Order(order.clone())];
                (RECHECK, room.into(), Payload::empty())
            }
            Self::DisconnectUser(user) => {
                let id = id_payload(user.as_str());
                (DISCONNECT_USER, Arc::default(), id)
            }
            Self::DisconnectSession(session) => {
                let id = id_payload(&session.to_string());
                (DISCONNECT_SESSION, Arc::default(), id)
            }
        }
    }

    /// Returns the instruction that [`encode`](Self::encode) wrote; `None` if it wrote no such.
    pub(super) fn decode(name: &str, rooms: &[Room], payload: &Payload) -> Option<Self> {
        match (name, rooms) {
            (RECHECK, [Room::Order(order)]) => Some(Self::Recheck(order.clone())),
            (DISCONNECT_USER, _) => {
                let user: Disconnected<UserId> = serde_json::from_str(payload.as_str()).ok()?;
                Some(Self::DisconnectUser(user.id))
            }
            (DISCONNECT_SESSION, _) => {
                let session: Disconnected<SessionId> =
                    serde_json::from_str(payload.as_str()).ok()?;
                Some(Self::DisconnectSession(session.id))
            }
            _ => None,
        }
    }
}

fn id_payload(id: &str) -> Payload {
    // It cannot fail: an object with the one member `id` is always a valid payload.
    Payload::from_json(json!({ "id": id }).to_string()).unwrap_or_else(|_| Payload::empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NewEntry;

    #[test]
    fn a_control_entry_reads_back() {
        let session = SessionId::random();
        for control in [
            Control::Recheck("o1".parse().unwrap()),
            Control::DisconnectUser("null".parse().unwrap()),
            Control::DisconnectSession(session),
        ] {
            let (name, rooms, payload) = control.encode();
            assert!(is_control_name(name));
            assert_eq!(Control::decode(name, &rooms, &payload), Some(control));
        }
    }

    #[test]
    fn an_event_is_never_a_control_entry() {
        assert!(NewEntry::event([Room::Everyone], ("rt:recheck", json!({}))).is_err());
        assert!(!is_control_name("recheck"));
        let decoded = Control::decode(DISCONNECT_USER, &[], &Payload::empty());
        assert_eq!(decoded, None);
    }
}
