//! An order as an event shows it.

use serde_json::Value;

use super::amount::amount;
use super::recent::remembered;

/// The version that an order begins with.
const FIRST_VERSION: u64 = 1;

/// An order as an event shows it. Its texts are short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeenOrder {
    /// The number for people.
    pub(super) number: Option<String>,
    pub(super) status: String,
    tailor: Option<String>,
    courier: Option<String>,
    pub(super) amount: Option<String>,
    pub(super) version: Option<u64>,
    /// True if the order has not changed since it was placed.
    pub(super) is_new: bool,
}

impl SeenOrder {
    pub(super) fn of(data: &Value) -> Option<Self> {
        let short = |member| text(data, member).map(remembered);
        Some(Self {
            number: short("orderNumber"),
            status: short("status")?,
            tailor: short("tailor"),
            courier: short("deliveryPartner"),
            amount: amount_of(data),
            version: version(data),
            is_new: is_first_version(data),
        })
    }

    pub(super) fn tailor(&self) -> Option<&str> {
        self.tailor.as_deref()
    }

    pub(super) fn courier(&self) -> Option<&str> {
        self.courier.as_deref()
    }
}

fn version(data: &Value) -> Option<u64> {
    data.get("version")?.as_u64()
}

/// Without a version, as in orders of other servers, the times of an order tell.
fn is_first_version(data: &Value) -> bool {
    match version(data) {
        Some(version) => version == FIRST_VERSION,
        None => {
            let created = text(data, "createdAt");
            created.is_some() && created == text(data, "updatedAt")
        }
    }
}

/// Returns the amount of an order or a payment, in the unit of its currency.
pub(super) fn amount_of(data: &Value) -> Option<String> {
    let minor = data.get("amount")?.as_i64()?;
    Some(amount(minor, &remembered(text(data, "currency")?)))
}

/// Returns a member that is text.
pub(super) fn text<'a>(data: &'a Value, member: &str) -> Option<&'a str> {
    data.get(member)?.as_str()
}
