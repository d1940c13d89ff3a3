//! The words about each kind of event.

use serde_json::Value;

use super::memory::Memory;
use super::phrase::{Phrase, Tone};
use super::seen_order::text;
use super::wording::{Wording, change, still};
use super::{members, order, payment};

/// Returns the words about an event, and remembers what it says. A payload of another shape
/// than this server's has the words of an unknown event.
pub(super) fn words_of(name: &str, data: &Value, memory: &mut Memory) -> Wording {
    let known = match name {
        "order_update" => order::wording(data, memory),
        "payment_update" => payment::wording(data, memory),
        "new_notification" => notification(data, memory),
        "notification_read" => notifications_read(data),
        "tailor_status_update" => tailor_status(data, memory),
        "rt:position" => position(data),
        _ => None,
    };
    known.unwrap_or_else(|| unknown(data, memory))
}

fn notification(data: &Value, memory: &Memory) -> Option<Wording> {
    let title = text(data, "title")?;
    let phrase = Phrase::new(Tone::Strong, title);
    let phrase = match text(data, "message") {
        Some(message) => phrase.with(Tone::Plain, ": ").with(Tone::Plain, message),
        None => phrase,
    };
    let order = text(data, "relatedOrder").map(|id| memory.name_of(id));
    Some(Wording::new(vec![phrase]).about(order))
}

fn notifications_read(data: &Value) -> Option<Wording> {
    let unread = data.get("unreadCount")?.as_u64()?;
    let is_all = data.get("all").is_some_and(|all| all == true);
    let read = if is_all {
        "all read".to_owned()
    } else {
        format!("{} read", data.get("ids")?.as_array()?.len())
    };
    let phrase = Phrase::new(Tone::Strong, &read);
    let left = format!(", {unread} unread");
    Some(Wording::new(vec![phrase.with(Tone::Plain, &left)]))
}

fn tailor_status(data: &Value, memory: &mut Memory) -> Option<Wording> {
    let tailor = text(data, "tailorId")?;
    let status = text(data, "status")?;
    let before = memory.set_tailor_status(tailor, status);
    let who = Phrase::new(Tone::Plain, tailor).with(Tone::Plain, " ");
    let before = before.as_deref();
    if before == Some(status) {
        return Some(Wording::new(vec![who.then(still(status))]));
    }
    let changes = change(before, status).into_iter();
    let phrases = changes.map(|change| who.clone().then(change)).collect();
    Some(Wording::new(phrases))
}

fn position(data: &Value) -> Option<Wording> {
    let at = text(data.get("_rt")?, "at")?;
    Some(Wording::new(vec![Phrase::new(Tone::Plain, at)]))
}

/// Returns the members of a payload. The order that it names has a column of its own.
fn unknown(data: &Value, memory: &Memory) -> Wording {
    let order = text(data, "orderId").map(|id| memory.name_of(id));
    let left_out = order.as_ref().map(|_| "orderId");
    Wording::new(members::phrases(data, left_out)).about(order)
}
