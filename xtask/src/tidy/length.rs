//! A long file wants a split along a concept. Advice, not a limit: the reader judges.

use super::finding::Finding;
use super::source::Source;

const LONG: usize = 400;

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let code = source
        .text
        .lines()
        .take_while(|line| *line != "#[cfg(test)]")
        .count();
    if code <= LONG {
        return Vec::new();
    }
    vec![Finding::new(
        LONG,
        format!("{code} lines without tests: is there a second concept in it?"),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_do_not_count() {
        let lines = |count| "fn a() {}\n".repeat(count);
        assert_eq!(check(&Source::new("a.rs", &lines(401))).len(), 1);
        assert_eq!(
            check(&Source::new(
                "a.rs",
                &format!("{}#[cfg(test)]\n{}", lines(300), lines(300))
            )),
            []
        );
    }
}
