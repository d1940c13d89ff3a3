//! Records for this crate's tests.

use metaia_realtime::UserId;

use super::{Order, Timestamp};

/// Returns a user.
pub(crate) fn user(name: &str) -> UserId {
    name.parse().unwrap()
}

/// Returns a pending order of `c1` without tailor and courier.
pub(crate) fn order() -> Order {
    let body = r#"{"items":[{"garment":"shirt","quantity":2,"price":1500}]}"#;
    let new: super::NewOrder = serde_json::from_str(body).unwrap();
    Order::place(new, 3000, user("c1"), Timestamp::now())
}
