//! The names of the events that a server of this project sends, and suggestions for misspelt ones.

/// The events of the server, then those control events that `--event` can select.
const KNOWN: [&str; 9] = [
    "new_notification",
    "order_update",
    "payment_update",
    "tailor_status_update",
    "notification_read",
    "rt:error",
    "rt:room_left",
    "rt:position",
    "rt:drain",
];

/// The control events that are notices and never events.
const NOTICES: [&str; 3] = ["rt:ready", "rt:reset", "rt:end"];

/// Returns the reason to doubt that an event of this name will ever arrive; `None` for a known one.
pub(super) fn doubt(name: &str) -> Option<String> {
    if KNOWN.contains(&name) {
        return None;
    }
    if NOTICES.contains(&name) {
        return Some(format!("{name} is not printed as an event: use --control"));
    }
    Some(match suggestion(name) {
        Some(known) => format!("the server sends no event {name:?}: did you mean {known}?"),
        None => format!(
            "the server itself sends no event {name:?}: it arrives only if a backend emits it"
        ),
    })
}

/// Returns the known name that is written nearly like this one. Case and separators do not matter.
fn suggestion(name: &str) -> Option<&'static str> {
    let wanted = letters(name);
    let near = |known: &&str| distance(&wanted, &letters(known));
    let nearest = KNOWN.into_iter().min_by_key(near)?;
    let length = wanted.len().max(letters(nearest).len());
    if near(&nearest) <= (length / 4).max(1) {
        Some(nearest)
    } else {
        None
    }
}

fn letters(name: &str) -> Vec<char> {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// Returns the Levenshtein distance: the number of characters to insert, remove or replace.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, one) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(one != other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_known_name_is_in_the_documentation() {
        let page = include_str!("../../../../docs/events.md");
        for name in KNOWN.iter().chain(&NOTICES) {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
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
        assert!(doubt("rt:ready").unwrap().contains("--control"));
        assert_eq!(doubt("order_update"), None);
    }

    proptest! {
        #[test]
        fn no_name_panics(name in any::<String>()) {
            let _ = doubt(&name);
        }

        #[test]
        fn a_distance_is_symmetric(a in "[a-c]{0,6}", b in "[a-c]{0,6}") {
            let a = letters(&a);
            let b = letters(&b);
            prop_assert_eq!(distance(&a, &b), distance(&b, &a));
        }
    }
}
