//! The request of a new order, and its validation.

use std::collections::BTreeMap;

use metaia_realtime::UserId;
use serde::{Deserialize, Serialize};

use super::{FieldError, Fields, Item, Measure, objects, whole};

const MAX_ITEMS: usize = 100;
const MAX_QUANTITY: u32 = 1_000;
/// The highest price of one garment. With the two limits above, every sum stays below 2⁵³, up to
/// which JSON numbers are exact.
const MAX_PRICE: i64 = 1_000_000_000;
const MAX_MEASUREMENTS: usize = 50;

/// The body of `POST /api/orders`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewOrder {
    /// 1 to 100 items.
    #[serde(deserialize_with = "objects::read")]
    pub items: Vec<NewItem>,
    /// The tailor whom the customer asks for.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub tailor: Option<UserId>,
    /// Up to 500 characters.
    #[serde(default)]
    pub delivery_address: Option<String>,
    /// ISO 4217.
    #[serde(default = "rupees")]
    #[schema(example = "INR")]
    pub currency: String,
    /// The customer for whom an admin orders. Admins must give it, others must not.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub customer: Option<UserId>,
}

/// One line of a [`NewOrder`].
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewItem {
    /// 1 to 100 characters.
    pub garment: String,
    /// 1 to 1,000.
    #[serde(deserialize_with = "whole::in_json")]
    pub quantity: u32,
    /// The price of one, in the minor unit: 1 to 1,000,000,000.
    #[serde(deserialize_with = "whole::in_json")]
    pub price: i64,
    /// Up to 50 measurements, by name.
    #[serde(default)]
    pub measurements: Option<BTreeMap<String, Measure>>,
    /// Up to 1,000 characters.
    #[serde(default)]
    pub notes: Option<String>,
}

fn rupees() -> String {
    "INR".to_owned()
}

impl NewOrder {
    /// Validates the order, and returns its amount in the minor unit.
    ///
    /// # Errors
    /// Returns all errors of the order.
    pub fn amount(&self) -> Result<i64, Vec<FieldError>> {
        let mut fields = Fields::default();
        let is_allowed_count = (1..=MAX_ITEMS).contains(&self.items.len());
        fields.require(
            is_allowed_count,
            "/items",
            format!("must be 1 to {MAX_ITEMS} items"),
        );
        for (at, item) in self.items.iter().take(MAX_ITEMS).enumerate() {
            item.check(&mut fields, &format!("/items/{at}"));
        }
        let is_currency =
            self.currency.len() == 3 && self.currency.bytes().all(|b| b.is_ascii_uppercase());
        fields.require(
            is_currency,
            "/currency",
            "must be three capital letters (ISO 4217)",
        );
        if let Some(address) = &self.delivery_address {
            fields.text(address, 1, 500, "/deliveryAddress");
        }
        let sum = self
            .items
            .iter()
            .try_fold(0_i64, |sum, item| sum.checked_add(item.cost()?));
        fields.require(sum.is_some(), "/items", "have a sum that is too large");
        fields.check(sum.unwrap_or_default())
    }
}

impl NewItem {
    fn cost(&self) -> Option<i64> {
        self.price.checked_mul(self.quantity.into())
    }

    fn check(&self, fields: &mut Fields, at: &str) {
        fields.text(&self.garment, 1, 100, format!("{at}/garment"));
        let quantity = (1..=MAX_QUANTITY).contains(&self.quantity);
        fields.require(
            quantity,
            format!("{at}/quantity"),
            format!("must be 1 to {MAX_QUANTITY}"),
        );
        let price = (1..=MAX_PRICE).contains(&self.price);
        fields.require(
            price,
            format!("{at}/price"),
            format!("must be 1 to {MAX_PRICE}, in the minor unit"),
        );
        if let Some(notes) = &self.notes {
            fields.text(notes, 0, 1_000, format!("{at}/notes"));
        }
        self.check_measurements(fields, &format!("{at}/measurements"));
    }

    fn check_measurements(&self, fields: &mut Fields, at: &str) {
        let Some(measurements) = &self.measurements else {
            return;
        };
        fields.require(
            measurements.len() <= MAX_MEASUREMENTS,
            at,
            format!("must be at most {MAX_MEASUREMENTS}"),
        );
        for (name, measure) in measurements.iter().take(MAX_MEASUREMENTS) {
            let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            fields.text(name, 1, 64, &pointer);
            if let Measure::Text(text) = measure {
                fields.text(text, 0, 64, &pointer);
            }
        }
    }
}

impl From<NewItem> for Item {
    fn from(new: NewItem) -> Self {
        Self {
            garment: new.garment,
            quantity: new.quantity,
            price: new.price,
            measurements: new.measurements.unwrap_or_default(),
            notes: new.notes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn order(items: Value) -> NewOrder {
        serde_json::from_value(json!({ "items": items })).unwrap()
    }

    fn item(quantity: u32, price: i64) -> Value {
        json!({ "garment": "shirt", "quantity": quantity, "price": price })
    }

    #[track_caller]
    fn refused_at(new: &NewOrder, pointers: &[&str]) {
        let errors = new.amount().unwrap_err();
        assert_eq!(
            errors
                .iter()
                .map(|e| e.pointer.as_str())
                .collect::<Vec<_>>(),
            pointers
        );
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        refused_at(&order(json!([])), &["/items"]);
        refused_at(&order(json!(vec![item(1, 1); 101])), &["/items"]);
        refused_at(
            &order(json!([item(1, 5), item(0, -1)])),
            &["/items/1/quantity", "/items/1/price"],
        );
        let measures = json!([{
            "garment": " ", "quantity": 1, "price": 1,
            "measurements": { "a/b": "x".repeat(65) }, "notes": "\u{0}",
        }]);
        refused_at(
            &order(measures),
            &[
                "/items/0/garment",
                "/items/0/notes",
                "/items/0/measurements/a~1b",
            ],
        );
        let mut new = order(json!([item(1, 1)]));
        new.currency = "inr".into();
        new.delivery_address = Some("x".repeat(501));
        refused_at(&new, &["/currency", "/deliveryAddress"]);
    }

    #[test]
    fn unknown_members_and_operators_are_not_of_the_type() {
        for (at, value) in [
            ("tailor", json!({ "$ne": null })),
            ("total", json!(1)),
            ("customer", json!("a b")),
        ] {
            let mut body = json!({ "items": [item(1, 1)] });
            body[at] = value;
            assert!(serde_json::from_value::<NewOrder>(body).is_err(), "{at}");
        }
        for price in [
            json!(1.5),
            json!("1"),
            json!(1e300),
            json!(null),
            json!(u64::MAX),
        ] {
            let item = json!({ "garment": "x", "quantity": 1, "price": price });
            assert!(serde_json::from_value::<NewItem>(item).is_err());
        }
    }

    #[test]
    fn an_item_is_an_object_and_its_members_are_pointed_at() {
        let refusal = |item: &str| {
            let body = format!(r#"{{"items":[{{"garment":"a","quantity":1,"price":1}},{item}]}}"#);
            let mut json = serde_json::Deserializer::from_str(&body);
            let error = serde_path_to_error::deserialize::<_, NewOrder>(&mut json).unwrap_err();
            (error.path().to_string(), error.inner().to_string())
        };
        for item in [r#"["a",1,1]"#, "[]", "7", "null"] {
            let (path, text) = refusal(item);
            assert!(
                path == "items[1]" && text.contains("expected an object"),
                "{item}: {path}: {text}"
            );
        }
        assert_eq!(
            refusal(r#"{"garment":"a","quantity":"1","price":1}"#).0,
            "items[1].quantity"
        );
        assert_eq!(
            refusal(r#"{"garment":"a","quantity":1,"price":1,"colour":2}"#).0,
            "items[1].colour"
        );
        assert!(
            refusal(r#"{"garment":"a","quantity":1}"#)
                .1
                .contains("missing field `price`")
        );
    }

    proptest! {
        /// Whatever the numbers, an accepted order's amount is the exact sum and fits into a JSON
        /// number.
        #[test]
        fn an_accepted_amount_is_the_exact_sum(
            lines in proptest::collection::vec((any::<u32>(), any::<i64>()), 0..5)
        ) {
            let new = order(lines.iter().map(|(q, p)| item(*q, *p)).collect());
            let exact: i128 = lines.iter().map(|(q, p)| i128::from(*q) * i128::from(*p)).sum();
            if let Ok(amount) = new.amount() {
                prop_assert_eq!(i128::from(amount), exact);
                prop_assert!(amount > 0 && amount < 1 << 53);
            }
        }

        #[test]
        fn what_is_in_bounds_is_accepted(
            lines in proptest::collection::vec((1..=MAX_QUANTITY, 1..=MAX_PRICE), 1..=MAX_ITEMS)
        ) {
            let new = order(lines.iter().map(|(q, p)| item(*q, *p)).collect());
            prop_assert!(new.amount().is_ok());
        }
    }
}
