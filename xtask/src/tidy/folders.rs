//! One convention for modules with children: `x/mod.rs`, not `x.rs` beside a folder `x/`.

use super::source::Source;

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let beside = sources
        .iter()
        .filter(|source| has_folder(sources, &source.path));
    beside.map(|source| finding(&source.path)).collect()
}

fn has_folder(sources: &[Source], path: &str) -> bool {
    let folder = format!("{}/", path.trim_end_matches(".rs"));
    sources
        .iter()
        .any(|source| source.path.starts_with(&folder))
}

fn finding(path: &str) -> String {
    let folder = path.trim_end_matches(".rs");
    format!("{path}: stands beside its folder, move it to {folder}/mod.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_beside_its_folder_is_found() {
        let paths = [
            "a/src/b.rs",
            "a/src/b/c.rs",
            "a/src/d/mod.rs",
            "a/src/d/e.rs",
            "a/src/dd.rs",
        ];
        let found = check(&paths.map(|path| Source::new(path, "")));
        assert_eq!(
            found,
            ["a/src/b.rs: stands beside its folder, move it to a/src/b/mod.rs"]
        );
    }
}
