//! The receivers of an event, in JSON `{"user": id}`, `{"role": r}`, `{"order": id}` or
//! `"everyone"`.

use std::fmt;

use metaia_realtime::{
    OrderId, Role, Room, UserId,
    planted_faults::{Fault, planted},
};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, MapAccess, Visitor},
};

/// The receivers of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// All devices of a user.
    #[schema(value_type = String)]
    User(UserId),
    /// All users of a role.
    #[schema(value_type = String)]
    Role(Role),
    /// All sessions that follow an order.
    #[schema(value_type = String)]
    Order(OrderId),
    /// All sessions.
    Everyone,
}

impl Target {
    /// Returns the room of the receivers.
    pub(super) fn room(&self) -> Room {
        match self {
            Self::User(user) => Room::User(user.clone()),
            Self::Role(_) if planted(Fault::EmitRoleToEveryone) => Room::Everyone,
            Self::Role(role) => Room::Role(*role),
            Self::Order(order) => Room::Order(order.clone()),
            Self::Everyone => Room::Everyone,
        }
    }
}

/// Written by hand: the derived implementation reports an object of no or two members as malformed
/// JSON.
impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TargetVisitor)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    User,
    Role,
    Order,
}

struct TargetVisitor;

impl<'de> Visitor<'de> for TargetVisitor {
    type Value = Target;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"everyone\", or an object of one member: user, role or order")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Target, E> {
        if text == "everyone" {
            Ok(Target::Everyone)
        } else {
            Err(E::custom("the only text is everyone"))
        }
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Target, M::Error> {
        let target = match map.next_key()? {
            Some(Kind::User) => Target::User(map.next_value()?),
            Some(Kind::Role) => Target::Role(map.next_value()?),
            Some(Kind::Order) => Target::Order(map.next_value()?),
            None => return Err(M::Error::custom("is empty: needs one of user, role, order")),
        };
        match map.next_key::<Kind>()? {
            None => Ok(target),
            Some(_) => Err(M::Error::custom(
                "has two members: needs one of user, role, order",
            )),
        }
    }
}
