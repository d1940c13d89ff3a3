//! No test is switched off silently: `#[ignore]` names the issue that will switch it on again.

use super::finding::Finding;
use super::source::Source;

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let ignored = source
        .code()
        .filter(|(_, line)| line.starts_with("#[ignore"));
    let silent = ignored.filter(|(_, line)| !names_an_issue(line));
    silent
        .map(|(line, _)| {
            Finding::new(
                line,
                "an ignored test names its issue: #[ignore = \"#12: why\"]",
            )
        })
        .collect()
}

fn names_an_issue(line: &str) -> bool {
    let after_hash = line
        .trim_start_matches("#[")
        .split('#')
        .nth(1)
        .unwrap_or_default();
    after_hash.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_test_without_an_issue_is_found() {
        let found = check(&Source::new(
            "a.rs",
            "//! A.\n#[test]\n#[ignore]\nfn a() {}\n",
        ));
        assert_eq!(found.first().map(|finding| finding.line), Some(3));
        assert_eq!(
            check(&Source::new("a.rs", "#[ignore = \"slow\"]\n")).len(),
            1
        );
        assert_eq!(
            check(&Source::new(
                "a.rs",
                "#[ignore = \"#12: needs a cluster\"]\n"
            )),
            []
        );
    }
}
