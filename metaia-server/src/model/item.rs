//! The lines of an order, with their measurements.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Item {
    /// The garment to make.
    pub garment: String,
    /// The number of garments.
    pub quantity: u32,
    /// The price of one, in the minor unit of the order's currency.
    pub price: i64,
    /// Measurements by name, in the unit that the marketplace uses.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub measurements: BTreeMap<String, Measure>,
    /// Notes for the tailor.
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
