//! A realistic order, for commands that need one and are given none.

use serde_json::{Value, json};

/// Returns the body of a new order: a wedding outfit and an alteration, with prices in paise.
pub(crate) fn example_order() -> Value {
    json!({
        "items": [
            {
                "garment": "sherwani",
                "quantity": 1,
                "price": 1_250_000,
                "measurements": {"chest": 102, "waist": 88, "sleeve": 64, "length": 108},
                "notes": "ivory silk, gold buttons",
            },
            {
                "garment": "trousers",
                "quantity": 2,
                "price": 180_000,
                "measurements": {"waist": 88, "inseam": 79},
            },
        ],
        "deliveryAddress": "14 Residency Road, Bengaluru 560025",
        "currency": "INR",
    })
}
