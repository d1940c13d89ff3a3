//! Events of the provider, as it documents them: the few members that the server reads.
//!
//! The reader is lenient. A delivery is signed, and an error would only make the provider repeat
//! it: whatever is not as expected is ignored, with the reason.

use metaia_realtime::values::JsonNumber;
use serde_json::value::RawValue;

use super::{counts::IgnoredDelivery, provider_members::ProviderMembers};
use crate::model::{AttemptStatus, Money, PaymentEvent, Timestamp};

/// The longest id of an order or an attempt, in bytes. The provider's have 20 and 18.
pub(super) const MAX_PROVIDER_ID_BYTES: usize = 128;

/// The longest name of a currency, in bytes.
const MAX_CURRENCY_BYTES: usize = 8;

/// The report of an event on an attempt at one of the provider's orders.
#[derive(Debug)]
pub(super) struct ProviderEvent {
    pub(super) razorpay_order_id: String,
    pub(super) event: PaymentEvent,
}

/// A delivery without effect: why, and what it names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unused {
    pub(super) why: IgnoredDelivery,
    pub(super) razorpay_order_id: Option<String>,
    pub(super) attempt: Option<String>,
}

impl ProviderEvent {
    /// Reads the body of a delivery. A byte order mark before it is skipped.
    pub(super) fn read(body: &[u8]) -> Result<Self, Unused> {
        let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let members =
            ProviderMembers::read(text).map_err(|_| Unused::from(IgnoredDelivery::Unreadable))?;
        let unused = |why| Unused {
            why,
            razorpay_order_id: bounded_text(members.order_id, MAX_PROVIDER_ID_BYTES),
            attempt: bounded_text(members.id, MAX_PROVIDER_ID_BYTES),
        };
        let name = text_in(members.event).ok_or_else(|| unused(IgnoredDelivery::Unreadable))?;
        let status =
            status_of(&name, &members).ok_or_else(|| unused(IgnoredDelivery::OtherEvent))?;
        report(&members, status).ok_or_else(|| unused(IgnoredDelivery::Incomplete))
    }

    /// Returns this event as one without effect.
    pub(super) fn unused(&self, why: IgnoredDelivery) -> Unused {
        Unused {
            why,
            razorpay_order_id: Some(self.razorpay_order_id.clone()),
            attempt: Some(self.event.attempt.clone()),
        }
    }
}

impl From<IgnoredDelivery> for Unused {
    /// Returns a delivery that names nothing.
    fn from(why: IgnoredDelivery) -> Self {
        Self {
            why,
            razorpay_order_id: None,
            attempt: None,
        }
    }
}

/// Returns how far an event says that the attempt has come. A partial refund leaves it paid.
fn status_of(name: &str, members: &ProviderMembers<'_>) -> Option<AttemptStatus> {
    let is_partial = || text_in(members.refund_status).as_deref() == Some("partial");
    match name {
        "payment.captured" | "order.paid" => Some(AttemptStatus::Completed),
        "payment.failed" => Some(AttemptStatus::Failed),
        "refund.processed" if !is_partial() => Some(AttemptStatus::Refunded),
        _ => None,
    }
}

fn report(members: &ProviderMembers<'_>, status: AttemptStatus) -> Option<ProviderEvent> {
    let money = Money {
        amount: JsonNumber::parse(members.amount?.get())?.to_whole()?,
        currency: bounded_text(members.currency, MAX_CURRENCY_BYTES)?,
    };
    let event = PaymentEvent {
        attempt: bounded_text(members.id, MAX_PROVIDER_ID_BYTES)?,
        status,
        money: Some(money),
        at: Timestamp::now(),
    };
    Some(ProviderEvent {
        razorpay_order_id: bounded_text(members.order_id, MAX_PROVIDER_ID_BYTES)?,
        event,
    })
}

fn bounded_text(value: Option<&RawValue>, max_bytes: usize) -> Option<String> {
    text_in(value).filter(|text| (1..=max_bytes).contains(&text.len()))
}

fn text_in(value: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(value?.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

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
        assert_eq!(
            read.map_err(|unused| unused.why).err(),
            Some(expected),
            "{text}"
        );
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
        check_ignored(b"{} {}", IgnoredDelivery::Unreadable);
        let list = br#"["payment.captured", {"payment": []}]"#;
        check_ignored(list, IgnoredDelivery::Unreadable);
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
            ("amount", json!([90_000])),
            ("order_id", json!("x".repeat(129))),
            ("id", json!({ "$ne": null })),
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

    /// Adds a member to each of the objects that are read, before and behind the others.
    fn with_further(member: &[u8]) -> Vec<Vec<u8>> {
        let body = event("payment.captured").to_string();
        let opening = body.match_indices('{').map(|(at, _)| (at + 1, false));
        let closing = body.match_indices('}').map(|(at, _)| (at, true));
        let places = opening.chain(closing);
        places
            .map(|(at, is_last)| {
                let (before, behind) = body.as_bytes().split_at(at);
                let comma: &[u8] = b",";
                let added = if is_last {
                    [comma, member]
                } else {
                    [member, comma]
                };
                [before, &added.concat(), behind].concat()
            })
            .collect()
    }

    /// A member that the server does not read must not cost an event.
    #[test]
    fn members_that_are_not_read_may_be_anything() {
        let deep = format!(r#""notes":{}{}"#, "[".repeat(5_000), "]".repeat(5_000));
        let deep_objects = format!(r#""notes":{}1{}"#, r#"{"a":"#.repeat(300), "}".repeat(300));
        let members: [&[u8]; 12] = [
            br#""notes":{"name":"\ud83d"}"#,
            br#""notes":{"\ud83d":1}"#,
            br#""\udc00":1"#,
            b"\"notes\":[\"\xff\xfe\"]",
            b"\"\xc3\":1",
            br#""fee":1e400"#,
            br#""fee":-1E+99999"#,
            br#""fee":123456789012345678901234567890"#,
            br#""notes":1,"notes":2"#,
            br#""":null"#,
            deep.as_bytes(),
            deep_objects.as_bytes(),
        ];
        for member in members {
            for body in with_further(member) {
                let read = ProviderEvent::read(&body);
                let text = String::from_utf8_lossy(member);
                let read = read.unwrap_or_else(|unused| panic!("{unused:?}: {text:.99}"));
                assert_eq!(
                    read.event,
                    ProviderEvent::read(event("payment.captured").to_string().as_bytes())
                        .map(|plain| PaymentEvent {
                            at: read.event.at,
                            ..plain.event
                        })
                        .unwrap()
                );
            }
        }
    }

    /// As in other readers of JSON.
    #[test]
    fn of_members_with_one_name_the_last_counts() {
        let body = event("payment.captured").to_string();
        let twice = body.replace("\"amount\"", "\"amount\":\"\\ud83d\",\"amount\"");
        let read = ProviderEvent::read(twice.as_bytes()).unwrap();
        assert_eq!(read.event.money.unwrap().amount, 90_000);
        let emptied = body.replace("{\"payment\"", "{\"payment\":[],\"payment\"");
        assert!(ProviderEvent::read(emptied.as_bytes()).is_ok());
        let lost = format!("{},\"payload\":[]}}", &body[..body.len() - 1]);
        check_ignored(lost.as_bytes(), IgnoredDelivery::Incomplete);
    }

    #[test]
    fn no_amount_is_rounded() {
        for amount in [
            "90000.0000000000001",
            "89999.99999999999999",
            "9007199254740993.5",
        ] {
            let body = event("payment.captured").to_string();
            let body = body.replace("90000", amount);
            check_ignored(body.as_bytes(), IgnoredDelivery::Incomplete);
        }
        check_amount("9007199254740993.0", 9_007_199_254_740_993);
    }

    #[test]
    fn an_event_without_effect_names_what_was_read() {
        let mut body = event("payment.captured");
        body["payload"]["payment"]["entity"]["amount"] = json!(null);
        let unused = ProviderEvent::read(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(unused.attempt.as_deref(), Some("pay_1"));
        assert_eq!(unused.razorpay_order_id.as_deref(), Some("order_1"));
        body["payload"]["payment"]["entity"]["id"] = json!("x".repeat(129));
        let unused = ProviderEvent::read(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(unused.attempt, None);
    }
}
