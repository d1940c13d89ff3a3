//! Checks the circles of files against the short list of accepted ones.

use super::circles::Circle;
use super::imports::Import;
use super::levels::{KnownCircle, Plan};
use super::tree::Tree;

/// Returns a finding for each circle that is not accepted, and each acceptance without a circle.
pub(super) fn check(plan: &Plan, tree: &Tree, circles: &[Circle]) -> Vec<String> {
    let is_known = |circle: &&Circle| plan.circles.iter().any(|known| covers(known, tree, circle));
    let is_needed =
        |known: &&KnownCircle| circles.iter().any(|circle| touches(known, tree, circle));
    let unknown = circles.iter().filter(|circle| !is_known(circle));
    let stale = plan.circles.iter().filter(|known| !is_needed(known));
    let mut found: Vec<String> = unknown
        .map(|circle| unknown_finding(plan, tree, circle))
        .collect();
    found.extend(stale.map(|known| stale_finding(plan, known)));
    found
}

/// Returns true if all files of the circle are below the accepted paths.
pub(super) fn covers(known: &KnownCircle, tree: &Tree, circle: &Circle) -> bool {
    files_below(known, tree, circle) == circle.files.len()
}

/// Returns true if files below the accepted paths are in the circle, perhaps with others.
fn touches(known: &KnownCircle, tree: &Tree, circle: &Circle) -> bool {
    files_below(known, tree, circle) > 1
}

fn files_below(known: &KnownCircle, tree: &Tree, circle: &Circle) -> usize {
    let is_below = |file: &usize| {
        known
            .paths
            .iter()
            .any(|path| tree.name(*file).starts_with(path))
    };
    circle.files.iter().copied().filter(is_below).count()
}

fn unknown_finding(plan: &Plan, tree: &Tree, circle: &Circle) -> String {
    let names: Vec<&str> = circle.files.iter().map(|file| tree.name(*file)).collect();
    let way = way(tree, &circle.way);
    let count = names.len();
    format!(
        "{}: a circle of {count} files: {}; {way}",
        plan.src,
        names.join(", ")
    )
}

/// Returns the way as text: `a.rs:1 → b.rs:2 → a.rs`.
fn way(tree: &Tree, way: &[Import]) -> String {
    let mut text = String::from("for example ");
    for import in way {
        text.push_str(&format!("{}:{} → ", tree.name(import.from), import.line));
    }
    text.push_str(way.last().map_or("", |last| tree.name(last.to)));
    text
}

fn stale_finding(plan: &Plan, known: &KnownCircle) -> String {
    let paths = known.paths.join(" and ");
    let reason = known.reason;
    format!(
        "{}: no circle in {paths} any more, remove it from levels.rs ({reason})",
        plan.src
    )
}

#[cfg(test)]
mod tests {
    use super::super::circles::circles;
    use super::super::imports::imports;
    use super::*;
    use crate::tidy::source::Source;

    const THREE: [&str; 3] = [
        "use crate::b::B; pub struct A;",
        "use crate::C;\npub struct B;",
        "
        use crate::A; pub struct C;",
    ];

    /// Checks a crate of three files with these texts and one accepted circle.
    #[track_caller]
    fn check_files(texts: [&str; 3], accepted: &'static [&'static str], expected: &[&str]) {
        let [a, b, c] = texts;
        let sources = [
            Source::new(
                "x/src/lib.rs",
                "mod a; mod b; mod c; pub use a::A; pub use c::*;",
            ),
            Source::new("x/src/a.rs", a),
            Source::new("x/src/b.rs", b),
            Source::new("x/src/c.rs", c),
        ];
        let tree = Tree::read(&sources, "x/src/");
        let circles = circles(&imports(&tree), tree.files.len());
        let known = Vec::from([KnownCircle {
            paths: accepted,
            reason: "one thing",
        }])
        .leak();
        let known = if accepted.is_empty() { &[] } else { &*known };
        let plan = Plan {
            src: "x/src/",
            levels: &[],
            circles: known,
        };
        assert_eq!(check(&plan, &tree, &circles), expected);
    }

    #[test]
    fn a_circle_of_three_files_is_found_with_an_example() {
        let expected = "x/src/: a circle of 3 files: a.rs, b.rs, c.rs; \
            for example a.rs:1 → b.rs:1 → c.rs:2 → a.rs";
        check_files(THREE, &[], &[expected]);
    }

    #[test]
    fn an_accepted_circle_is_none() {
        check_files(THREE, &["a.rs", "b.rs", "c.rs"], &[]);
    }

    #[test]
    fn a_larger_circle_than_the_accepted_one_is_found() {
        let expected = "x/src/: a circle of 3 files: a.rs, b.rs, c.rs; \
            for example a.rs:1 → b.rs:1 → c.rs:2 → a.rs";
        check_files(THREE, &["a.rs", "b.rs"], &[expected]);
    }

    #[test]
    fn an_acceptance_without_a_circle_is_found() {
        let expected = "x/src/: no circle in a.rs any more, remove it from levels.rs (one thing)";
        check_files(["", "", ""], &["a.rs"], &[expected]);
    }
}
