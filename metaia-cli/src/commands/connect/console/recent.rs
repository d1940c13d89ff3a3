//! The events that came since the line before began: `/await` finds one that came before it did.

use std::collections::VecDeque;

use crate::commands::connect::awaited::AwaitedEvent;
use crate::expectation::Received;

/// The most events that are remembered; the oldest are forgotten.
const MOST_EVENTS: usize = 1_000;

/// Events that no `/await` has taken, each with the number of its role.
#[derive(Debug, Default)]
pub(super) struct RecentEvents(VecDeque<(usize, Received)>);

impl RecentEvents {
    pub(super) fn push(&mut self, role: usize, event: Received) {
        if self.0.len() == MOST_EVENTS {
            self.0.pop_front();
        }
        self.0.push_back((role, event));
    }

    /// Takes the first event of a role that is awaited. Returns false if there is none.
    pub(super) fn take(&mut self, role: usize, awaited: &AwaitedEvent) -> bool {
        let is_awaited = |(of, event): &(usize, Received)| *of == role && awaited.is(event);
        let place = self.0.iter().position(is_awaited);
        place.and_then(|place| self.0.remove(place)).is_some()
    }

    /// Returns how many events of a role have the awaited name.
    pub(super) fn count(&self, role: usize, name: &str) -> usize {
        let is_named = |(of, event): &&(usize, Received)| *of == role && event.event == name;
        self.0.iter().filter(is_named).count()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::connect::awaited::AwaitArgs;
    use crate::expectation::received;

    fn awaited(name: &str) -> AwaitedEvent {
        let args = AwaitArgs::parse(name, &[]).unwrap();
        args.event().unwrap().unwrap()
    }

    #[test]
    fn each_event_is_taken_once_in_any_order() {
        let mut recent = RecentEvents::default();
        for name in ["a", "b", "a"] {
            recent.push(0, received(name, "e1", json!({})));
        }
        assert!(!recent.take(1, &awaited("a")));
        assert!(recent.take(0, &awaited("b")));
        assert!(!recent.take(0, &awaited("b")));
        assert_eq!(recent.count(0, "a"), 2);
        assert!(recent.take(0, &awaited("a")) && recent.take(0, &awaited("a")));
        assert!(!recent.take(0, &awaited("a")));
    }

    #[test]
    fn the_oldest_events_are_forgotten() {
        let mut recent = RecentEvents::default();
        recent.push(0, received("first", "e1", json!({})));
        for _ in 0..MOST_EVENTS {
            recent.push(0, received("x", "e1", json!({})));
        }
        assert!(!recent.take(0, &awaited("first")));
        assert_eq!(recent.count(0, "x"), MOST_EVENTS);
    }
}
