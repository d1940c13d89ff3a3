//! What the nodes tell each other by the log, at a place in the order of events: control entries.
//! Clients never get them.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use crate::{OrderId, Room, SessionId, UserId, event::Payload};

/// No event of anybody's begins so.
pub(super) const PREFIX: &str = "rt:";

const RECHECK: &str = "rt:recheck";
const DISCONNECT_USER: &str = "rt:disconnect_user";
const DISCONNECT_SESSION: &str = "rt:disconnect_session";

/// What a control entry asks of every node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Control {
    /// Access to the order is decided again, for everybody in its room.
    Recheck(OrderId),
    /// The user's sessions end that began before.
    DisconnectUser(UserId),
    /// This session ends.
    DisconnectSession(SessionId),
}

/// The name of a control entry that is stored under this one, where it is one.
#[cfg(any(test, feature = "mongodb", feature = "sqlite"))]
pub(super) fn name(stored: &str) -> Option<&'static str> {
    [RECHECK, DISCONNECT_USER, DISCONNECT_SESSION]
        .into_iter()
        .find(|name| *name == stored)
}

#[derive(Deserialize)]
struct Disconnected<Id> {
    id: Id,
}

impl Control {
    /// How it stands in a log. Whom it disconnects is in the payload: in a room it would count
    /// among what the clients in that room have missed.
    pub(super) fn written(&self) -> (&'static str, Arc<[Room]>, Payload) {
        match self {
            Self::Recheck(order) => (
                RECHECK,
                [Room::Order(order.clone())].into(),
                Payload::empty(),
            ),
            Self::DisconnectUser(user) => (DISCONNECT_USER, Arc::default(), payload(user.as_str())),
            Self::DisconnectSession(session) => (
                DISCONNECT_SESSION,
                Arc::default(),
                payload(&session.to_string()),
            ),
        }
    }

    /// What was written.
    pub(super) fn read(name: &str, rooms: &[Room], payload: &Payload) -> Option<Self> {
        match (name, rooms) {
            (RECHECK, [Room::Order(order)]) => Some(Self::Recheck(order.clone())),
            (DISCONNECT_USER, _) => {
                let user: Disconnected<UserId> = serde_json::from_str(payload.as_str()).ok()?;
                Some(Self::DisconnectUser(user.id))
            }
            (DISCONNECT_SESSION, _) => {
                let session: Disconnected<String> = serde_json::from_str(payload.as_str()).ok()?;
                session.id.parse().ok().map(Self::DisconnectSession)
            }
            _ => None,
        }
    }
}

/// An id is an object's only member: it cannot be anything that a payload may not be.
fn payload(id: &str) -> Payload {
    Payload::from_json(json!({ "id": id }).to_string()).unwrap_or_else(|_| Payload::empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NewEntry;

    #[test]
    fn what_is_written_is_read() {
        let session = SessionId::random();
        for control in [
            Control::Recheck("o1".parse().unwrap()),
            Control::DisconnectUser("null".parse().unwrap()),
            Control::DisconnectSession(session),
        ] {
            let (name, rooms, payload) = control.written();
            assert!(name.starts_with(PREFIX) && self::name(name) == Some(name));
            assert_eq!(Control::read(name, &rooms, &payload), Some(control));
        }
    }

    #[test]
    fn no_event_is_one() {
        assert!(NewEntry::event([Room::Everyone], ("rt:recheck", json!({}))).is_err());
        assert_eq!(name("recheck"), None);
        assert_eq!(Control::read(DISCONNECT_USER, &[], &Payload::empty()), None);
    }
}
