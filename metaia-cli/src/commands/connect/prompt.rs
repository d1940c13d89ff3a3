//! The prompt: for whom the next line is, and who has no connection now.
//!
//! Each role is followed by a mark and a space; the mark is `✕` if it has no live session. So the
//! prompt keeps its width while connections come and go, and can be drawn again below each event.
//! On a narrow terminal it is shorter, at last only a mark.

use crate::event_line::{cut, width};
use crate::printer::Paint;
use crate::terminal::one_line;

/// Follows a role that has a live session, and one that has none.
const LIVE: &str = "›";
const CUT_OFF: &str = "✕";

/// The least columns of a role that is cut.
const LEAST: usize = 6;

/// A role as the prompt shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PromptRole {
    /// `ROLE:USER`.
    pub(super) label: String,
    pub(super) is_live: bool,
}

/// Returns the prompt for these roles on a terminal of this width. It takes half of it at most.
pub(super) fn prompt(roles: &[PromptRole], columns: usize, paint: Paint) -> String {
    let limit = columns / 2;
    let labels: Vec<String> = roles
        .iter()
        .map(|role| one_line(&role.label).into())
        .collect();
    let users: Vec<&str> = labels.iter().map(|label| user_of(label)).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    for names in [&labels, &users] {
        if width_of(names) <= limit {
            return marked(names, roles, paint);
        }
    }
    let are_live = roles.iter().all(|role| role.is_live);
    let count = count(roles);
    let text = match &users[..] {
        [only] => cut(only, limit.saturating_sub(2)).into_owned(),
        _ => count,
    };
    let is_of_use = limit >= LEAST && width(&text) + 2 <= limit;
    format!(
        "{}{} ",
        if is_of_use { &text } else { "" },
        mark(are_live, paint)
    )
}

/// Returns how many roles there are, and how many of them are away if some are, in the same width.
fn count(roles: &[PromptRole]) -> String {
    let all = roles.len();
    let away = roles.iter().filter(|role| !role.is_live).count();
    let text = if away == 0 || away == all {
        format!("{all} roles")
    } else {
        format!("{away} of {all}")
    };
    let width = format!("{all} roles")
        .len()
        .max(format!("{all} of {all}").len());
    format!("{text:<width$}")
}

fn user_of(label: &str) -> &str {
    label.split_once(':').map_or(label, |(_, user)| user)
}

/// Returns the width of these names with a mark and a space behind each.
fn width_of(names: &[&str]) -> usize {
    names.iter().map(|name| width(name) + 2).sum()
}

fn marked(names: &[&str], roles: &[PromptRole], paint: Paint) -> String {
    let mut text = String::new();
    for (name, role) in names.iter().zip(roles) {
        text.push_str(name);
        text.push_str(&mark(role.is_live, paint));
        text.push(' ');
    }
    text
}

fn mark(is_live: bool, paint: Paint) -> String {
    if is_live {
        paint.dim(LIVE)
    } else {
        paint.bad(CUT_OFF)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn roles(roles: &[(&str, bool)]) -> Vec<PromptRole> {
        let roles = roles.iter().map(|(label, is_live)| PromptRole {
            label: (*label).to_owned(),
            is_live: *is_live,
        });
        roles.collect()
    }

    #[track_caller]
    fn check(shown: &[(&str, bool)], columns: usize, expected: &str) {
        assert_eq!(prompt(&roles(shown), columns, Paint::PLAIN), expected);
    }

    #[test]
    fn the_prompt_names_the_roles() {
        check(&[("customer:u1", true)], 80, "customer:u1› ");
        let two = [("customer:u1", true), ("tailor:t1", true)];
        check(&two, 80, "customer:u1› tailor:t1› ");
    }

    #[test]
    fn a_role_without_a_session_is_marked() {
        check(&[("customer:u1", false)], 80, "customer:u1✕ ");
        let first = [("customer:u1", false), ("tailor:t1", true)];
        check(&first, 80, "customer:u1✕ tailor:t1› ");
        let last = [("customer:u1", true), ("tailor:t1", false)];
        check(&last, 80, "customer:u1› tailor:t1✕ ");
    }

    #[test]
    fn a_narrow_terminal_has_a_short_prompt() {
        check(&[("customer:u1", true)], 20, "u1› ");
        check(&[("customer:somebody-else", true)], 20, "somebod…› ");
        check(&[("customer:u1", false)], 6, "✕ ");
        check(&[("customer:u1", true)], 0, "› ");
        let many: Vec<(&str, bool)> = vec![("customer:somebody", true); 12];
        check(&many, 80, "12 roles› ");
        check(&many, 20, "12 roles› ");
        check(&many, 12, "› ");
        let four = [("customer:somebody", true); 3];
        let one_away = [&[("customer:somebody", false)], &four[..]].concat();
        check(&one_away, 20, "1 of 4 ✕ ");
        check(&[("customer:somebody", false); 4], 20, "4 roles✕ ");
    }

    proptest! {
        #[test]
        fn the_prompt_keeps_its_width(
            labels in proptest::collection::vec("[a-z]{1,8}:[ -~é漢\u{1b}]{0,24}", 1..6),
            live in any::<[bool; 6]>(),
            columns in 0_usize..140,
        ) {
            let shown = |live: &[bool]| {
                let roles: Vec<(&str, bool)> =
                    labels.iter().map(String::as_str).zip(live.iter().copied()).collect();
                prompt(&self::roles(&roles), columns, Paint::PLAIN)
            };
            let one = shown(&live);
            prop_assert_eq!(width(&one), width(&shown(&[true; 6])));
            prop_assert!(width(&one) <= (columns / 2).max(2), "{one:?}");
            prop_assert_eq!(one_line(&one), one.as_str());
        }
    }
}
