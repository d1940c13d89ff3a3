//! Rooms: where events are published.

use std::{fmt, str::FromStr};

use crate::{OrderId, Role, UserId};

/// A place where events are published. `Display` writes and `FromStr` reads exactly the names that
/// clients know.
///
/// ```
/// use metaia_realtime::{Role, Room};
/// assert_eq!(Room::Role(Role::Tailor).to_string(), "tailor-room");
/// assert_eq!("order-42".parse(), Ok(Room::Order("42".parse().unwrap())));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Room {
    /// All connected sessions: `everyone`. Every session is in it from the start.
    Everyone,
    /// All users of a role: `customer-room`, `admin-room`, `tailor-room`, `delivery-room`.
    Role(Role),
    /// One user, on all their devices: `user-{id}`.
    User(UserId),
    /// The sessions that follow an order: `order-{id}`. Clients join it on request, guarded by
    /// [`OrderAccess`](crate::OrderAccess).
    Order(OrderId),
}

impl Room {
    /// Returns the order if this is an order's room.
    #[must_use]
    pub const fn order(&self) -> Option<&OrderId> {
        match self {
            Self::Order(order) => Some(order),
            _ => None,
        }
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("everyone"),
            Self::Role(role) => write!(f, "{role}-room"),
            Self::User(user) => write!(f, "user-{user}"),
            Self::Order(order) => write!(f, "order-{order}"),
        }
    }
}

impl FromStr for Room {
    type Err = UnknownRoom;
    fn from_str(text: &str) -> Result<Self, UnknownRoom> {
        if text == "everyone" {
            return Ok(Self::Everyone);
        }
        if let Some(user) = text.strip_prefix("user-") {
            return user.parse().map(Self::User).map_err(|_| UnknownRoom);
        }
        if let Some(order) = text.strip_prefix("order-") {
            return order.parse().map(Self::Order).map_err(|_| UnknownRoom);
        }
        Role::ALL
            .into_iter()
            .map(Self::Role)
            .find(|room| room.to_string() == text)
            .ok_or(UnknownRoom)
    }
}

impl serde::Serialize for Room {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reason why a text is not a [`Room`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a room is everyone, a role's room, user-ID or order-ID")]
pub struct UnknownRoom;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_room_reads_back_from_its_name(id in "[A-Za-z0-9_-]{1,64}") {
            for room in [Room::User(id.parse().unwrap()), Room::Order(id.parse().unwrap())] {
                prop_assert_eq!(room.to_string().parse(), Ok(room));
            }
        }

        #[test]
        fn any_text_is_a_room_or_an_error(text in ".{0,80}") {
            if let Ok(room) = text.parse::<Room>() {
                prop_assert_eq!(room.to_string(), text);
            }
        }
    }

    #[test]
    fn rooms_have_the_names_that_clients_know() {
        let names: Vec<_> = Role::ALL
            .into_iter()
            .map(|role| Room::Role(role).to_string())
            .collect();
        assert_eq!(
            names,
            [
                "customer-room",
                "admin-room",
                "tailor-room",
                "delivery-room"
            ]
        );
        assert_eq!("delivery_partner-room".parse::<Room>(), Err(UnknownRoom));
    }
}
