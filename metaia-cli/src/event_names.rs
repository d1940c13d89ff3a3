//! The names of the events that a server of this project sends, suggestions for misspelt ones, and
//! texts that no event has as its name.

use metaia_realtime::event::{EventError, EventName};

use crate::exit::Failure;
use crate::suggestion;

/// The events of the server, then those control events that `--event` can select.
pub(crate) const KNOWN: [&str; 10] = [
    "new_notification",
    "order_update",
    "payment_update",
    "tailor_status_update",
    "notification_read",
    "rt:error",
    "rt:room_left",
    "rt:position",
    "rt:expiring",
    "rt:drain",
];

/// The events that a server of this project takes from clients.
pub(crate) const OF_CLIENTS: [&str; 5] = [
    "join_order_room",
    "leave_order_room",
    "rt:resume",
    "rt:sync",
    "rt:refresh",
];

/// The control events that are notices and never events.
const NOTICES: [&str; 3] = ["rt:ready", "rt:reset", "rt:end"];

/// Refuses a text of which no event is printed: a notice, or a text that is no name.
pub(crate) fn check_printed(name: &str) -> Result<(), Failure> {
    if NOTICES.contains(&name) {
        return Err(Failure::usage(format!(
            "{name} is not printed as an event: use --control"
        )));
    }
    check(name)
}

/// Refuses a text that no event has as its name: none would ever come.
pub(crate) fn check(name: &str) -> Result<(), Failure> {
    let Err(error) = parse(name) else {
        return Ok(());
    };
    let problem = match error {
        EventError::ReservedName => "Socket.IO clients raise it themselves",
        _ => "a name is 1 to 64 of A-Z a-z 0-9 _ : . -",
    };
    let failure = Failure::usage(format!("no event has the name {name:?}: {problem}"));
    Err(match hint(name) {
        Some(hint) => failure.hint(hint),
        None => failure,
    })
}

/// Names of the system have the same shape behind their `rt:`.
fn parse(name: &str) -> Result<EventName, EventError> {
    let of_system = name.strip_prefix("rt:").filter(|_| name.len() <= 64);
    of_system.unwrap_or(name).parse()
}

fn hint(name: &str) -> Option<String> {
    let trimmed = name.trim();
    if trimmed.is_empty() {
        return Some("if it comes from a variable, check that the variable is set".to_owned());
    }
    if name.contains([',', ' ']) && trimmed == name {
        return Some("for several names, repeat --event".to_owned());
    }
    let is_name = trimmed != name && parse(trimmed).is_ok();
    is_name.then(|| format!("did you mean {trimmed}? There are blanks around it"))
}

/// Returns the reason to doubt that an event of this name will ever arrive; `None` for a known one.
pub(crate) fn doubt(name: &str) -> Option<String> {
    if is_known(name) {
        return None;
    }
    Some(match nearest(name) {
        Some(known) => format!("the server sends no event {name:?}: did you mean {known}?"),
        None => format!(
            "the server itself sends no event {name:?}: it arrives only if a backend emits it"
        ),
    })
}

/// Returns whether the server sends events of this name.
pub(crate) fn is_known(name: &str) -> bool {
    KNOWN.contains(&name) || NOTICES.contains(&name)
}

/// Returns the known name that was probably meant.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    suggestion::nearest(name, KNOWN)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::exit::Exit;

    #[test]
    fn each_known_name_is_in_the_documentation() {
        let page = include_str!("../../docs/events.md");
        for name in KNOWN.iter().chain(&NOTICES).chain(&OF_CLIENTS) {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }

    /// Returns the first cells of a table in `docs/access.md`, which has every event.
    fn in_the_table(heading: &str) -> BTreeSet<&'static str> {
        let page = include_str!("../../docs/access.md");
        let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
        rows.filter_map(|row| Some(row.split_once('`')?.0))
            .collect()
    }

    #[test]
    fn each_event_is_known() {
        let of_server = KNOWN.into_iter().chain(NOTICES).collect();
        assert_eq!(in_the_table("Events of the server"), of_server);
        let of_clients = OF_CLIENTS.into_iter().chain(["connect"]).collect();
        assert_eq!(in_the_table("Events of clients"), of_clients);
    }

    #[test]
    fn a_misspelt_name_gets_a_suggestion() {
        for (name, meant) in [
            ("oder_update", "order_update"),
            ("oredr_update", "order_update"),
            ("orderUpdate", "order_update"),
            ("ORDER-UPDATES", "order_update"),
            ("newNotification", "new_notification"),
            ("new_notificaton", "new_notification"),
            ("payment_updated", "payment_update"),
            ("room_left", "rt:room_left"),
        ] {
            let doubt = doubt(name).unwrap();
            assert!(
                doubt.ends_with(&format!("did you mean {meant}?")),
                "{name}: {doubt}"
            );
        }
    }

    #[test]
    fn a_name_of_ones_own_gets_none() {
        for name in ["stock_low", "wanted", "ping", "", "é", "update"] {
            let doubt = doubt(name).unwrap();
            assert!(doubt.ends_with("only if a backend emits it"), "{doubt}");
        }
        assert_eq!(doubt("order_update"), None);
    }

    #[track_caller]
    fn check_refused(name: &str, part: &str) {
        let failure = check_printed(name).unwrap_err();
        let said = format!("{failure} {}", failure.hint.clone().unwrap_or_default());
        assert_eq!(failure.exit, Exit::Usage, "{name:?}");
        assert!(said.contains(part), "{name:?}: {said}");
    }

    #[test]
    fn a_text_that_no_event_has_as_its_name_is_refused() {
        for empty in ["", " ", "\t"] {
            check_refused(empty, "variable");
        }
        check_refused("order_update ", "did you mean order_update?");
        check_refused("order_update,new_notification", "repeat --event");
        check_refused("order_update new_notification", "repeat --event");
        check_refused("größe", "1 to 64");
        check_refused("a/b", "1 to 64");
        check_refused(&"a".repeat(65), "1 to 64");
        check_refused("connect", "Socket.IO");
        check_refused("rt:", "1 to 64");
        check_refused("rt:room left", "1 to 64");
        check_refused("rt:ready", "--control");
    }

    #[test]
    fn a_name_that_an_event_can_have_is_accepted() {
        let longest = "a".repeat(64);
        let others = ["stock_low", "a.b:c-D", "rt:of_a_newer_server", &longest];
        for name in KNOWN.into_iter().chain(others) {
            assert!(check_printed(name).is_ok(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_name_panics(name in any::<String>()) {
            let _ = check_printed(&name);
            let _ = doubt(&name);
        }
    }
}
