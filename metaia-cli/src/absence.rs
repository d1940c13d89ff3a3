//! An absence that nothing could have broken: a check of it passes whatever the server does, for
//! instance because a name is misspelt.

use crate::event_names;
use crate::expectation::Received;
use crate::verdict::{Unmet, UnmetKind};

/// The events that must not come, as somebody describes them.
#[derive(Debug)]
pub(crate) struct Absence<'a> {
    /// `None` for any event of the application.
    pub(crate) event: Option<&'a str>,
    /// Set if a part of the payload or a condition narrows them.
    pub(crate) has_condition: bool,
    /// The id of the order that they concern.
    pub(crate) about: Option<&'a str>,
}

impl Absence<'_> {
    /// Returns the reason why this absence proves nothing, if it does. `received` is everything
    /// that came to anybody while it was checked.
    pub(crate) fn vacuous(&self, received: &[Received]) -> Option<Unmet> {
        if let Some(event) = self.event
            && (self.has_condition || !event_names::is_known(event))
            && !received.iter().any(|one| one.event == event)
        {
            let label = format!("nobody received any `{event}`: this proves nothing");
            return Some(
                Unmet::new(UnmetKind::Vacuous, label).details([
                    "a misspelt name or condition would pass here, too".to_owned(),
                    "let somebody receive such an event, or check that no event comes at all"
                        .to_owned(),
                ]),
            );
        }
        let order = self.about?;
        if received.iter().any(|one| one.concerns(order)) {
            return None;
        }
        let label = format!("nobody received an event about `{order}`: this proves nothing");
        let help = "an id that no order has would pass here, too; let somebody receive an event \
                    about it, such as an admin";
        Some(Unmet::new(UnmetKind::Vacuous, label).details([help.to_owned()]))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn received() -> Received {
        Received {
            event: "order_update".to_owned(),
            data: json!({"_id": "o1"}),
            id: None,
            position: None,
            replayed: false,
            again: false,
            latency_ms: None,
            at: Duration::ZERO,
            receiver: "admin:a1".to_owned(),
        }
    }

    fn absence(event: Option<&str>, has_condition: bool) -> Absence<'_> {
        Absence {
            event,
            has_condition,
            about: None,
        }
    }

    #[track_caller]
    fn check(absence: &Absence<'_>, received: &[Received], is_vacuous: bool) {
        let unmet = absence.vacuous(received);
        assert_eq!(unmet.is_some(), is_vacuous, "{absence:?} {unmet:?}");
    }

    #[test]
    fn an_absence_of_any_event_needs_no_witness() {
        check(&absence(None, false), &[], false);
        check(&absence(None, true), &[], false);
    }

    #[test]
    fn a_known_name_is_not_misspelt() {
        check(&absence(Some("order_update"), false), &[], false);
        check(&absence(Some("oder_update"), false), &[], true);
        check(&absence(Some("oder_update"), false), &[received()], true);
    }

    #[test]
    fn a_condition_needs_an_event_of_its_name() {
        check(&absence(Some("order_update"), true), &[], true);
        check(&absence(Some("order_update"), true), &[received()], false);
    }

    #[test]
    fn an_order_needs_an_event_about_it() {
        let about = |order| Absence {
            event: None,
            has_condition: false,
            about: Some(order),
        };
        check(&about("o1"), &[], true);
        check(&about("o1"), &[received()], false);
        check(&about("o2"), &[received()], true);
    }
}
