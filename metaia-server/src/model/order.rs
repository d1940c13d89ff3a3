//! Orders: the document that REST returns and `order_update` carries.

use std::{fmt, str::FromStr};

use metaia_realtime::{OrderId, Role, UserId};
use rand::RngExt as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{
    Caller, Item, NewOrder, OrderStatus, Timestamp, TransitionRefusal, new_order_id, step,
};

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Order {
    /// 24 hex digits.
    #[serde(rename = "_id")]
    #[schema(value_type = String)]
    pub id: OrderId,
    /// The number for people.
    #[schema(value_type = String, example = "MT-261123-K7Q2ZD")]
    pub order_number: OrderNumber,
    /// The customer who ordered.
    #[schema(value_type = String)]
    pub customer: UserId,
    /// The tailor who makes it, once assigned.
    #[schema(value_type = Option<String>)]
    pub tailor: Option<UserId>,
    /// The courier who delivers it, once assigned.
    #[schema(value_type = Option<String>)]
    pub delivery_partner: Option<UserId>,
    /// The items, at least one.
    pub items: Vec<Item>,
    /// The sum of the items, in the minor unit of the currency.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The status.
    pub status: OrderStatus,
    /// The version. Each change adds one.
    pub version: u64,
    /// RFC 3339, UTC, milliseconds.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// RFC 3339, UTC, milliseconds.
    #[schema(value_type = String)]
    pub updated_at: Timestamp,
    /// The delivery address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_address: Option<String>,
}

impl Order {
    /// Returns the order that `new` asks for. The caller has validated `new`, which gave `amount`.
    #[must_use]
    pub fn place(new: NewOrder, amount: i64, customer: UserId, now: Timestamp) -> Self {
        Self {
            id: new_order_id(),
            order_number: OrderNumber::random(now),
            customer,
            tailor: new.tailor,
            delivery_partner: None,
            items: new.items.into_iter().map(Item::from).collect(),
            amount,
            currency: new.currency,
            status: OrderStatus::Pending,
            version: 1,
            created_at: now,
            updated_at: now,
            delivery_address: new.delivery_address,
        }
    }

    /// Returns the caller's role in this order: an admin, its own customer, its assigned tailor or
    /// courier. `None`: the caller has no role in it, and must not learn that it exists.
    #[must_use]
    pub fn role_of(&self, caller: &Caller) -> Option<Role> {
        match caller {
            Caller::User { user, role } if self.admits(user, *role) => Some(*role),
            Caller::User { .. } | Caller::ApiKey => None,
        }
    }

    /// Returns whether a user of this role may see the order.
    #[must_use]
    pub fn admits(&self, user: &UserId, role: Role) -> bool {
        match role {
            Role::Admin => true,
            Role::Customer => self.customer == *user,
            Role::Tailor => self.tailor.as_ref() == Some(user),
            Role::Delivery => self.delivery_partner.as_ref() == Some(user),
        }
    }

    /// Returns the order after a user of this role has set its status to `to`.
    ///
    /// # Errors
    /// See [`step`].
    pub fn moved(
        &self,
        role: Role,
        to: OrderStatus,
        now: Timestamp,
    ) -> Result<Self, TransitionRefusal> {
        step(role, self.status, to)?;
        Ok(Self {
            status: to,
            ..self.next_version(now)
        })
    }

    /// Returns the same order in its next version.
    pub(super) fn next_version(&self, now: Timestamp) -> Self {
        Self {
            version: self.version + 1,
            updated_at: now.not_before(self.updated_at),
            ..self.clone()
        }
    }
}

/// The number of an order, for people: `MT-`, the day as `YYMMDD`, and six characters that are hard
/// to confuse. Numbers of the old backend are accepted as they are: 1 to 64 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderNumber(String);

impl OrderNumber {
    /// Crockford's base 32, which has no I, L, O and U.
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// Generates a number out of 2³⁰ per day. The store refuses a number that is taken; the caller
    /// then tries another.
    #[must_use]
    pub fn random(now: Timestamp) -> Self {
        let (year, month, day) = now.date().to_calendar_date();
        let mut rng = rand::rng();
        let mut character = || Self::ALPHABET[rng.random_range(0..Self::ALPHABET.len())];
        let tail: String = (0..6).map(|_| char::from(character())).collect();
        Self(format!(
            "MT-{:02}{:02}{day:02}-{tail}",
            year.rem_euclid(100),
            u8::from(month)
        ))
    }
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is not an order number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an order number")]
pub struct InvalidOrderNumber;

impl FromStr for OrderNumber {
    type Err = InvalidOrderNumber;
    fn from_str(text: &str) -> Result<Self, InvalidOrderNumber> {
        let printable = text.chars().all(|c| !c.is_control());
        if printable && (1..=64).contains(&text.chars().count()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidOrderNumber)
        }
    }
}

impl Serialize for OrderNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OrderNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}
