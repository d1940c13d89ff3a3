//! To whom an event goes, as JSON names it: `{"user": id}`, `{"role": r}`, `{"order": id}` or
//! `"everyone"`.

use std::fmt;

use metaia_realtime::{OrderId, Role, Room, UserId};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, MapAccess, Visitor},
};

/// To whom an event goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// All devices of a user.
    #[schema(value_type = String)]
    User(UserId),
    /// All users of a role.
    #[schema(value_type = String)]
    Role(Role),
    /// Those who follow an order.
    #[schema(value_type = String)]
    Order(OrderId),
    /// Everybody.
    Everyone,
}

impl Target {
    /// Where its people are.
    pub(super) fn room(&self) -> Room {
        match self {
            Self::User(user) => Room::User(user.clone()),
            Self::Role(role) => Room::Role(*role),
            Self::Order(order) => Room::Order(order.clone()),
            Self::Everyone => Room::Everyone,
        }
    }
}

/// By hand, since the derived one calls an object of no or two members broken JSON.
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
            Err(E::custom("the only word is everyone"))
        }
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Target, M::Error> {
        let target = match map.next_key()? {
            Some(Kind::User) => Target::User(map.next_value()?),
            Some(Kind::Role) => Target::Role(map.next_value()?),
            Some(Kind::Order) => Target::Order(map.next_value()?),
            None => return Err(M::Error::custom("names nobody: needs user, role or order")),
        };
        match map.next_key::<Kind>()? {
            None => Ok(target),
            Some(_) => Err(M::Error::custom(
                "names two: needs one of user, role, order",
            )),
        }
    }
}
