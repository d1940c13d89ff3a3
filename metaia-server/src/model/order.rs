//! Orders: the document that REST answers and `order_update` carries.

use std::{collections::BTreeMap, fmt, str::FromStr};

use metaia_realtime::{OrderId, Role, UserId};
use rand::RngExt as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{Caller, NewOrder, OrderStatus, Refusal, Timestamp, new_order_id, step};

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Item {
    /// What is made.
    pub garment: String,
    /// How many.
    pub quantity: u32,
    /// Of one, in the minor unit of the order's currency.
    pub price: i64,
    /// By name, in whatever unit the marketplace uses.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub measurements: BTreeMap<String, Measure>,
    /// For the tailor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// A measurement: a number, or a short text such as `38 in`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Measure {
    /// A number.
    #[schema(value_type = f64)]
    Number(serde_json::Number),
    /// A text.
    Text(String),
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Order {
    /// 24 hex digits.
    #[serde(rename = "_id")]
    #[schema(value_type = String)]
    pub id: OrderId,
    /// For people.
    #[schema(value_type = String, example = "MT-261123-K7Q2ZD")]
    pub order_number: OrderNumber,
    /// Who ordered.
    #[schema(value_type = String)]
    pub customer: UserId,
    /// Who makes it, once assigned.
    #[schema(value_type = Option<String>)]
    pub tailor: Option<UserId>,
    /// Who brings it, once assigned.
    #[schema(value_type = Option<String>)]
    pub delivery_partner: Option<UserId>,
    /// At least one.
    pub items: Vec<Item>,
    /// The sum of the items, in the minor unit of the currency.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// How far it is.
    pub status: OrderStatus,
    /// Rises by one with each change.
    pub version: u64,
    /// RFC 3339, UTC, milliseconds.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// RFC 3339, UTC, milliseconds.
    #[schema(value_type = String)]
    pub updated_at: Timestamp,
    /// Where it is brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_address: Option<String>,
}

impl Order {
    /// The order that `new` asks for. `new` has been validated, which gave `amount`.
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

    /// What the caller is to this order: an admin, its own customer, its assigned tailor or
    /// courier. `None`: nothing, and then it does not exist for them.
    #[must_use]
    pub fn role_of(&self, caller: &Caller) -> Option<Role> {
        match caller {
            Caller::User { user, role } => self.admits(user, *role).then_some(*role),
            Caller::ApiKey => None,
        }
    }

    /// Whether a user of this role has to do with the order.
    #[must_use]
    pub fn admits(&self, user: &UserId, role: Role) -> bool {
        match role {
            Role::Admin => true,
            Role::Customer => self.customer == *user,
            Role::Tailor => self.tailor.as_ref() == Some(user),
            Role::Delivery => self.delivery_partner.as_ref() == Some(user),
        }
    }

    /// The order after somebody who is `role` to it moved it to `to`.
    ///
    /// # Errors
    /// See [`step`].
    pub fn moved(&self, role: Role, to: OrderStatus, now: Timestamp) -> Result<Self, Refusal> {
        step(role, self.status, to)?;
        Ok(Self {
            status: to,
            ..self.changed(now)
        })
    }

    /// The same order in its next version.
    pub(super) fn changed(&self, now: Timestamp) -> Self {
        Self {
            version: self.version + 1,
            updated_at: now.not_before(self.updated_at),
            ..self.clone()
        }
    }
}

/// The number of an order for people: `MT-`, the day as `YYMMDD`, and six characters that are not
/// taken for one another. Those of the backend that this one replaces are read as they are: 1 to 64
/// characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderNumber(String);

impl OrderNumber {
    /// Crockford's base 32: without I, L, O and U.
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// A new number. 2³⁰ per day; the store refuses one that is taken, and the caller takes
    /// another.
    #[must_use]
    pub fn random(now: Timestamp) -> Self {
        let (year, month, day) = now.date().to_calendar_date();
        let mut rng = rand::rng();
        let tail: String = (0..6)
            .map(|_| char::from(Self::ALPHABET[rng.random_range(0..Self::ALPHABET.len())]))
            .collect();
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

/// The text is not an order number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an order number")]
pub struct InvalidOrderNumber;

impl FromStr for OrderNumber {
    type Err = InvalidOrderNumber;
    fn from_str(text: &str) -> Result<Self, InvalidOrderNumber> {
        let printable = text.chars().all(|c| !c.is_control());
        let good = printable && (1..=64).contains(&text.chars().count());
        if good {
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
