//! Each public function of the library's `api/`, which embedders call, has an example.

use super::finding::Finding;
use super::source::Source;

const HOME: &str = "metaia-realtime/src/api/";

pub(super) fn check(source: &Source) -> Vec<Finding> {
    if !source.path.starts_with(HOME) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut docs = Docs::default();
    for (index, line) in source.text.lines().enumerate() {
        let line = line.trim_start();
        if docs.take(line) {
            continue;
        }
        if is_public_function(line) && !docs.has_example && !docs.is_hidden {
            findings.push(Finding::new(
                index + 1,
                "an entry point has an example in its docs",
            ));
        }
        docs = Docs::default();
    }
    findings
}

/// The docs and attributes above an item.
#[derive(Debug, Default)]
struct Docs {
    has_example: bool,
    is_hidden: bool,
}

impl Docs {
    /// Takes in a line of docs or an attribute. Returns false for any other line.
    fn take(&mut self, line: &str) -> bool {
        if line.starts_with("///") {
            self.has_example |= line.contains("```");
            return true;
        }
        if line.starts_with("#[") {
            self.is_hidden |= line.contains("doc(hidden)");
            return true;
        }
        false
    }
}

fn is_public_function(line: &str) -> bool {
    ["pub fn ", "pub async fn ", "pub const fn "]
        .iter()
        .any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let found = check(&Source::new(path, text));
        found.iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn an_entry_point_without_an_example_is_found() {
        let path = "metaia-realtime/src/api/a.rs";
        assert_eq!(lines(path, "/// Sends.\n#[must_use]\npub fn a() {}"), [3]);
        assert_eq!(lines(path, "impl A {\n    pub const fn a() {}\n}"), [2]);
        let one_of_two =
            "/// Sends.\n///\n/// ```\n/// a();\n/// ```\npub async fn a() {}\npub fn b() {}";
        assert_eq!(lines(path, one_of_two), [7]);
    }

    #[test]
    fn other_functions_need_none() {
        let path = "metaia-realtime/src/api/a.rs";
        assert_eq!(
            lines(
                path,
                "#[doc(hidden)]\npub fn a() {}\npub(crate) fn b() {}\nfn c() {}"
            ),
            []
        );
        assert_eq!(lines("metaia-realtime/src/node/a.rs", "pub fn a() {}"), []);
    }
}
