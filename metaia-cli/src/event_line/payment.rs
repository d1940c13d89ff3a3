//! The change that a `payment_update` brings, compared with what the person has seen.

use serde_json::Value;

use super::memory::Memory;
use super::phrase::{Phrase, Tone};
use super::seen_order::{amount_of, text};
use super::wording::{Wording, change, still};

/// The status that a payment begins with.
const FIRST_STATUS: &str = "created";

/// Returns the words about a payment; `None` if the payload is no payment.
pub(super) fn wording(data: &Value, memory: &mut Memory) -> Option<Wording> {
    let id = text(data, "paymentId")?;
    let status = text(data, "status")?;
    let before = memory.set_payment_status(id, status);
    let statuses = match before.as_deref() {
        None if status == FIRST_STATUS => {
            vec![Phrase::new(Tone::Strong, status).with(Tone::Plain, " (new)")]
        }
        Some(before) if before == status => vec![still(status)],
        before => change(before, status),
    };
    let amount = amount_of(data).map(|amount| format!(" {amount}"));
    let amount = amount.unwrap_or_default();
    let flags = flags(data);
    let with_flags = |status| Phrase::list([status].into_iter().chain(flags.clone()));
    let full = statuses.iter().cloned();
    let full = full.map(|status| with_flags(status.with(Tone::Plain, &amount)));
    // A part of an amount would be read as another one.
    let without_amount = statuses.last().cloned().map(with_flags);
    let phrases = full.chain(without_amount);
    let order = text(data, "orderId").map(|id| memory.name_of(id));
    Some(Wording::new(phrases.collect()).about(order))
}

/// Returns the reasons for which a person should look at the payment.
fn flags(data: &Value) -> Option<Phrase> {
    let flags = data.get("flags")?.as_array()?;
    let flags: Vec<&str> = flags.iter().filter_map(Value::as_str).collect();
    if flags.is_empty() {
        return None;
    }
    Some(Phrase::new(Tone::Bad, &flags.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn payment(status: &str) -> Value {
        json!({
            "paymentId": "p1",
            "orderId": "o1",
            "status": status,
            "amount": 1_610_000,
            "currency": "INR",
        })
    }

    fn said(events: &[Value]) -> Vec<String> {
        let mut memory = Memory::default();
        let said = |event| wording(event, &mut memory).unwrap().fitting(None).text();
        events.iter().map(said).collect()
    }

    #[test]
    fn a_payment_shows_its_change_and_its_amount() {
        let events = ["created", "failed", "completed", "completed"].map(payment);
        assert_eq!(
            said(&events),
            [
                "created (new) ₹16,100.00",
                "created → failed ₹16,100.00",
                "failed → completed ₹16,100.00",
                "still completed ₹16,100.00",
            ]
        );
        assert_eq!(said(&events[2..3]), ["→ completed ₹16,100.00"]);
    }

    #[test]
    fn flags_are_shown() {
        let mut flagged = payment("completed");
        flagged["flags"] = json!(["late_success", "order_cancelled"]);
        let words = "→ completed ₹16,100.00, late_success, order_cancelled";
        assert_eq!(said(&[flagged]), [words]);
    }

    #[test]
    fn an_amount_without_a_currency_is_left_out() {
        let bare = json!({"paymentId": "p1", "status": "completed", "amount": 5});
        assert_eq!(said(&[bare]), ["→ completed"]);
        let mut memory = Memory::default();
        assert_eq!(wording(&json!({"status": "completed"}), &mut memory), None);
    }
}
