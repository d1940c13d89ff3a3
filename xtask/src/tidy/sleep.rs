//! Tests do not sleep: unit tests pause the clock, end-to-end tests wait for what they expect, with
//! a deadline.

use super::finding::Finding;
use super::source::Source;

pub(super) fn check(source: &Source) -> Vec<Finding> {
    // Under a paused clock a sleep takes no time and is how a test says "later".
    if source.text.contains("start_paused = true") {
        return Vec::new();
    }
    let from = first_line_of_tests(source);
    let test_code = source.code().filter(|(line, _)| *line >= from);
    let sleeping = test_code.filter(|(_, line)| line.contains(concat!("sleep", "(")));
    sleeping
        .map(|(line, _)| Finding::new(line, "a test waits for what it expects, it does not sleep"))
        .collect()
}

/// Whole files of tests, else what follows `#[cfg(test)]`.
fn first_line_of_tests(source: &Source) -> usize {
    let in_tests = source.path.starts_with("tests/") || source.path.contains("/tests/");
    if in_tests || source.path.ends_with("/tests.rs") {
        return 1;
    }
    let marker = source.code().find(|(_, line)| *line == "#[cfg(test)]");
    marker.map_or(usize::MAX, |(line, _)| line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = concat!(
        "//! A.\nfn a() { sleep",
        "(x) }\n#[cfg(test)]\nmod tests { fn b() { sleep",
        "(x) } }\n"
    );

    #[test]
    fn a_sleeping_test_is_found() {
        let lines = |path| {
            check(&Source::new(path, CODE))
                .iter()
                .map(|finding| finding.line)
                .collect::<Vec<_>>()
        };
        assert_eq!(lines("a/src/lib.rs"), [4]);
        assert_eq!(lines("tests/src/lib.rs"), [2, 4]);
    }

    #[test]
    fn a_paused_clock_may_sleep() {
        let text = format!("{CODE}#[tokio::test(start_paused = true)]\n");
        assert_eq!(check(&Source::new("tests/src/lib.rs", &text)), []);
    }
}
