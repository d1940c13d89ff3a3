//! Copies: events that a receiver got before, with the same id.

use std::collections::HashSet;

use super::received::Received;

/// Returns the indexes of the events that are copies of an earlier one, among those that the
/// filter accepts. An event without an id is no copy, nor is one that came twice on one connection.
pub(super) fn of(events: &[Received], is_counted: impl Fn(&Received) -> bool) -> Vec<usize> {
    let mut seen = HashSet::new();
    let numbered = events.iter().enumerate();
    let copies = numbered.filter(|(_, event)| {
        let key = event
            .id
            .as_ref()
            .map(|id| (&event.receiver, &event.event, id));
        is_counted(event) && key.is_some_and(|key| !seen.insert(key)) && !event.again
    });
    copies.map(|(index, _)| index).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::expectation::received::fixture::received;

    #[test]
    fn an_event_with_the_id_of_an_earlier_one_is_a_copy() {
        let event = |id: &str| received("note", id, json!({}));
        let other = Received {
            receiver: "admin:a1".to_owned(),
            ..event("e1")
        };
        let again = Received {
            again: true,
            ..event("e1")
        };
        let without_id = Received {
            id: None,
            ..event("e1")
        };
        let events = [
            event("e1"),
            event("e2"),
            event("e1"),
            other,
            without_id.clone(),
            without_id,
            event("e1"),
            again,
        ];
        assert_eq!(of(&events, |_| true), [2, 6]);
        assert!(of(&events, |_| false).is_empty());
    }
}
