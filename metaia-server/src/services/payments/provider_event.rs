//! Events of the provider, as it documents them: the few members that the server reads.
//!
//! The reader is lenient. A delivery is signed, and an error would only make the provider repeat
//! it: whatever is not as expected is ignored, with the reason.

use serde_json::Value;

use super::counts::IgnoredDelivery;
use crate::model::{AttemptStatus, Money, PaymentEvent, Timestamp};

/// The longest id of an attempt, in bytes. The provider's have 18.
pub(super) const MAX_ATTEMPT_ID_BYTES: usize = 128;

/// The longest name of a currency, in bytes.
const MAX_CURRENCY_BYTES: usize = 8;

/// What an event reports of an attempt at one of the provider's orders.
#[derive(Debug)]
pub(super) struct ProviderEvent {
    pub(super) razorpay_order_id: String,
    pub(super) event: PaymentEvent,
}

impl ProviderEvent {
    /// Reads the body of a delivery. A byte order mark before it is skipped.
    pub(super) fn read(body: &[u8]) -> Result<Self, IgnoredDelivery> {
        let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let document: Value =
            serde_json::from_slice(text).map_err(|_| IgnoredDelivery::Unreadable)?;
        let name = document["event"].as_str();
        let name = name.ok_or(IgnoredDelivery::Unreadable)?;
        let entity = &document["payload"]["payment"]["entity"];
        let status = status_of(name, entity).ok_or(IgnoredDelivery::OtherEvent)?;
        report(entity, status).ok_or(IgnoredDelivery::Incomplete)
    }
}

/// Returns how far an event says that the attempt has come. A partial refund leaves it paid.
fn status_of(name: &str, entity: &Value) -> Option<AttemptStatus> {
    match name {
        "payment.captured" | "order.paid" => Some(AttemptStatus::Completed),
        "payment.failed" => Some(AttemptStatus::Failed),
        "refund.processed" if entity["refund_status"] != "partial" => Some(AttemptStatus::Refunded),
        _ => None,
    }
}

fn report(entity: &Value, status: AttemptStatus) -> Option<ProviderEvent> {
    let money = Money {
        amount: whole_number(&entity["amount"])?,
        currency: bounded_text(&entity["currency"], MAX_CURRENCY_BYTES)?,
    };
    let event = PaymentEvent {
        attempt: bounded_text(&entity["id"], MAX_ATTEMPT_ID_BYTES)?,
        status,
        money: Some(money),
        at: Timestamp::now(),
    };
    Some(ProviderEvent {
        razorpay_order_id: entity["order_id"].as_str()?.to_owned(),
        event,
    })
}

fn bounded_text(value: &Value, max_bytes: usize) -> Option<String> {
    let text = value.as_str()?;
    (1..=max_bytes)
        .contains(&text.len())
        .then(|| text.to_owned())
}

/// Returns a whole number, also if it is written with a fraction of zero.
fn whole_number(value: &Value) -> Option<i64> {
    /// 2⁵³, up to which doubles represent every whole number.
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
    if let Some(whole) = value.as_i64() {
        return Some(whole);
    }
    let number = value.as_f64()?;
    let is_whole = number.fract() == 0.0 && number.abs() < MAX_EXACT;
    #[allow(
        clippy::cast_possible_truncation,
        reason = "without a fraction, and in range"
    )]
    is_whole.then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(name: &str) -> Value {
        let entity = json!({
            "id": "pay_1", "order_id": "order_1", "amount": 90_000, "currency": "INR",
        });
        json!({ "event": name, "payload": { "payment": { "entity": entity } } })
    }

    #[track_caller]
    fn check_ignored(body: &[u8], expected: IgnoredDelivery) {
        let text = String::from_utf8_lossy(body);
        let read = ProviderEvent::read(body);
        assert_eq!(read.map(|_| ()), Err(expected), "{text}");
    }

    #[track_caller]
    fn check_amount(amount: &str, expected: i64) {
        let body = event("payment.captured")
            .to_string()
            .replace("90000", amount);
        let read = ProviderEvent::read(body.as_bytes()).unwrap();
        assert_eq!(read.event.money.unwrap().amount, expected, "{amount}");
    }

    #[test]
    fn what_is_no_event_is_ignored() {
        for body in ["", "{", "[]", "7", "{}", r#"{"event":7}"#, "\u{feff}"] {
            check_ignored(body.as_bytes(), IgnoredDelivery::Unreadable);
        }
        check_ignored(b"\xff\xfe{}", IgnoredDelivery::Unreadable);
        check_ignored("[".repeat(10_000).as_bytes(), IgnoredDelivery::Unreadable);
    }

    #[test]
    fn events_that_move_no_payment_are_ignored() {
        let mut partial = event("refund.processed");
        partial["payload"]["payment"]["entity"]["refund_status"] = json!("partial");
        let others = ["payment.authorized", "invoice.paid", ""].map(event);
        for other in others.into_iter().chain([partial]) {
            check_ignored(other.to_string().as_bytes(), IgnoredDelivery::OtherEvent);
        }
    }

    #[test]
    fn an_event_without_its_payment_is_ignored() {
        for payload in [json!([]), json!(null), json!({ "payment": [] }), json!("x")] {
            let mut body = event("payment.captured");
            body["payload"] = payload;
            check_ignored(body.to_string().as_bytes(), IgnoredDelivery::Incomplete);
        }
        for (member, value) in [
            ("id", json!("")),
            ("id", json!("x".repeat(129))),
            ("order_id", json!(null)),
            ("amount", json!(null)),
            ("amount", json!("90000")),
            ("amount", json!(0.5)),
            ("amount", json!(1e300)),
            ("currency", json!(7)),
        ] {
            let mut body = event("payment.captured");
            body["payload"]["payment"]["entity"][member] = value;
            check_ignored(body.to_string().as_bytes(), IgnoredDelivery::Incomplete);
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_whole_numbers_may_have_a_fraction() {
        let body = format!("\u{feff}{}", event("payment.failed"));
        let read = ProviderEvent::read(body.as_bytes()).unwrap();
        assert_eq!(read.razorpay_order_id, "order_1");
        assert_eq!(read.event.status, AttemptStatus::Failed);
        for amount in ["90000", "90000.0", "9e4", "9.0E+4"] {
            check_amount(amount, 90_000);
        }
    }
}
