//! The change that an `order_update` brings, compared with what the person has seen.

use serde_json::Value;

use super::memory::Memory;
use super::order_name::OrderName;
use super::phrase::{Phrase, Tone};
use super::seen_order::{SeenOrder, text};
use super::wording::{Wording, change, status_tone, still};

/// Returns the words about an order; `None` if the payload is no order.
pub(super) fn wording(data: &Value, memory: &mut Memory) -> Option<Wording> {
    let id = text(data, "_id")?;
    let now = SeenOrder::of(data)?;
    let before = memory.order(id);
    let phrases = match before {
        None if now.is_new => new(&now, data),
        None => unknown_before(&now),
        Some(before) if before.version.is_some() && now.version <= before.version => {
            vec![repeated(before, &now)]
        }
        Some(before) => changes(before, &now),
    };
    let is_older = before.is_some_and(|before| now.version < before.version);
    let number = now.number.clone();
    // What was sent again does not undo what came after it.
    if !is_older {
        memory.set_order(id, now);
    }
    let name = number.map_or_else(|| OrderName::Id(id.to_owned()), OrderName::Number);
    Some(Wording::new(phrases).about(Some(name)))
}

fn new(now: &SeenOrder, data: &Value) -> Vec<Phrase> {
    let status = Phrase::new(Tone::Strong, &now.status).with(Tone::Plain, " (new)");
    let Some(amount) = &now.amount else {
        return vec![status];
    };
    let amount = format!(" {amount}");
    let amount = status.clone().with(Tone::Plain, &amount);
    let with_people = Phrase::list([amount.clone()].into_iter().chain(people(now)));
    let with_items = Phrase::list([with_people.clone()].into_iter().chain(items(data)));
    // A part of an amount would be read as another one.
    vec![with_items, with_people, amount, status]
}

fn unknown_before(now: &SeenOrder) -> Vec<Phrase> {
    let status = change(None, &now.status);
    let short = Phrase::list(status.into_iter().chain(people(now)));
    let amount = now.amount.as_deref().map(Phrase::plain);
    let full = Phrase::list([short.clone()].into_iter().chain(amount));
    // A part of an amount would be read as another one.
    vec![full, short]
}

/// Returns the words about a version that is not newer than what was seen.
fn repeated(before: &SeenOrder, now: &SeenOrder) -> Phrase {
    let status = Phrase::new(status_tone(&now.status), &now.status);
    let note = if now.version == before.version {
        " (again)"
    } else {
        " (an older version)"
    };
    status.with(Tone::Warn, note)
}

fn changes(before: &SeenOrder, now: &SeenOrder) -> Vec<Phrase> {
    let mut others = Vec::new();
    others.extend(person("tailor", before.tailor(), now.tailor()));
    others.extend(person("courier", before.courier(), now.courier()));
    others.extend(amount_change(before, now));
    if before.status == now.status {
        let is_same = others.is_empty();
        let phrase = Phrase::list(others);
        return vec![if is_same { still(&now.status) } else { phrase }];
    }
    let statuses = change(Some(&before.status), &now.status).into_iter();
    let with_others = |status| Phrase::list([status].into_iter().chain(others.clone()));
    statuses.map(with_others).collect()
}

fn people(now: &SeenOrder) -> Vec<Phrase> {
    let tailor = person("tailor", None, now.tailor());
    tailor
        .into_iter()
        .chain(person("courier", None, now.courier()))
        .collect()
}

/// Returns the change of a person who works on the order; `None` if there is none.
fn person(role: &str, before: Option<&str>, now: Option<&str>) -> Option<Phrase> {
    let label = Phrase::plain(role).with(Tone::Plain, " ");
    match (before, now) {
        (before, now) if before == now => None,
        (None, Some(now)) => Some(label.with(Tone::Strong, now)),
        (before, now) => {
            let gone = label.with(Tone::Plain, before.unwrap_or("none"));
            let now = now.unwrap_or("none");
            Some(gone.with(Tone::Plain, " → ").with(Tone::Strong, now))
        }
    }
}

fn amount_change(before: &SeenOrder, now: &SeenOrder) -> Option<Phrase> {
    match (&before.amount, &now.amount) {
        (Some(before), Some(now)) if before != now => {
            let phrase = Phrase::plain(before).with(Tone::Plain, " → ");
            Some(phrase.with(Tone::Strong, now))
        }
        _ => None,
    }
}

/// Returns the items of an order, as in `2 trousers`.
fn items(data: &Value) -> Vec<Phrase> {
    let items = data.get("items").and_then(Value::as_array);
    let item = |item: &Value| {
        let garment = text(item, "garment")?;
        let quantity = item.get("quantity")?.as_u64()?;
        Some(Phrase::plain(&format!("{quantity} ")).with(Tone::Plain, garment))
    };
    items.into_iter().flatten().filter_map(item).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order(version: u64, status: &str, tailor: Option<&str>) -> Value {
        json!({
            "_id": "o1",
            "orderNumber": "MT-261129-M636WW",
            "status": status,
            "tailor": tailor,
            "deliveryPartner": null,
            "amount": 1_610_000,
            "currency": "INR",
            "items": [
                {"garment": "sherwani", "quantity": 1},
                {"garment": "trousers", "quantity": 2},
            ],
            "version": version,
        })
    }

    /// Returns the longest and the shortest words about each event.
    fn said(events: &[Value]) -> Vec<[String; 2]> {
        let mut memory = Memory::default();
        let said = |event| {
            let wording = wording(event, &mut memory).unwrap();
            [None, Some(0)].map(|limit| wording.fitting(limit).text())
        };
        events.iter().map(said).collect()
    }

    #[track_caller]
    fn check(events: &[Value], longest: &str, shortest: &str) {
        let said = said(events);
        assert_eq!(said.last().unwrap(), &[longest, shortest]);
    }

    #[test]
    fn a_new_order_is_shown_with_its_amount_and_its_items() {
        let event = order(1, "pending", Some("w3"));
        let longest = "pending (new) ₹16,100.00, tailor w3, 1 sherwani, 2 trousers";
        check(&[event], longest, "pending (new)");
    }

    #[test]
    fn an_order_that_was_not_seen_before_is_shown_without_a_status_before() {
        let event = order(3, "confirmed", Some("w3"));
        let longest = "→ confirmed, tailor w3, ₹16,100.00";
        check(&[event], longest, "→ confirmed, tailor w3");
    }

    #[test]
    fn without_a_version_an_order_is_new_until_it_is_updated() {
        let order = |updated| {
            let status = "pending";
            json!({"_id": "o1", "status": status, "createdAt": "a", "updatedAt": updated})
        };
        check(&[order("a")], "pending (new)", "pending (new)");
        check(&[order("b")], "→ pending", "→ pending");
        check(&[order("a"), order("b")], "still pending", "still pending");
    }

    #[test]
    fn a_change_of_the_status_shows_both() {
        let events = [order(1, "pending", None), order(2, "confirmed", None)];
        check(&events, "pending → confirmed", "→ confirmed");
        let events = [order(1, "pending", None), order(2, "confirmed", Some("w3"))];
        check(
            &events,
            "pending → confirmed, tailor w3",
            "→ confirmed, tailor w3",
        );
    }

    #[test]
    fn a_change_of_a_person_shows_who_it_was() {
        let tailors = |a, b| [order(1, "ready", a), order(2, "ready", b)];
        let check = |a, b, words| check(&tailors(a, b), words, words);
        check(None, Some("w3"), "tailor w3");
        check(Some("w3"), Some("w5"), "tailor w3 → w5");
        check(Some("w3"), None, "tailor w3 → none");
        check(Some("w3"), Some("w3"), "still ready");
    }

    #[test]
    fn a_change_of_the_amount_is_shown() {
        let mut dearer = order(2, "pending", None);
        dearer["amount"] = json!(1_700_000);
        let words = "₹16,100.00 → ₹17,000.00";
        check(&[order(1, "pending", None), dearer], words, words);
    }

    #[test]
    fn an_event_that_comes_twice_is_no_change() {
        let first = order(4, "ready", None);
        let second = order(5, "out_for_delivery", None);
        let again = "out_for_delivery (again)";
        check(&[second.clone(), second.clone()], again, again);
        let older = "ready (an older version)";
        check(&[second.clone(), first.clone()], older, older);
        let third = order(6, "delivered", None);
        let words = "out_for_delivery → delivered";
        check(&[second, first, third], words, "→ delivered");
    }

    #[test]
    fn what_is_no_order_has_no_words_of_one() {
        let mut memory = Memory::default();
        for other in [
            json!(null),
            json!("x"),
            json!({"_id": 1, "status": "x"}),
            json!({"_id": "x"}),
        ] {
            assert_eq!(wording(&other, &mut memory), None, "{other}");
        }
    }
}
