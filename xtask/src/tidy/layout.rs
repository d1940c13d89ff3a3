//! The workspace as a whole: every package carries the licence and the lints, and the lock files
//! are in their place.

use std::path::Path;

use crate::shell::read;

/// Returns what is wrong with the workspace at `root`.
pub(super) fn check(root: &Path) -> Result<Vec<String>, String> {
    let mut wrong = Vec::new();
    for file in [
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "Cargo.lock",
        "deny.toml",
        "SECURITY.md",
        "tests/python/requirements.txt",
    ] {
        if !root.join(file).is_file() {
            wrong.push(format!("{file} is missing"));
        }
    }
    for member in members(&read(&root.join("Cargo.toml"))?) {
        let manifest = format!("{member}/Cargo.toml");
        let text = read(&root.join(&manifest))?;
        wrong.extend(missing(&text).map(|line| format!("{manifest}: no `{line}`")));
    }
    for lock in ["tests/js", "tests/peers/js"].map(|folder| format!("{folder}/package-lock.json")) {
        if read(&root.join(&lock))?.contains("\"resolved\"") {
            wrong.push(format!(
                "{lock}: download addresses belong to a machine, not into it"
            ));
        }
    }
    Ok(wrong)
}

/// The packages of the workspace, from its one `members` line.
fn members(manifest: &str) -> Vec<&str> {
    let list = manifest
        .lines()
        .find_map(|line| line.strip_prefix("members = ["));
    list.map(|list| list.split('"').skip(1).step_by(2).collect())
        .unwrap_or_default()
}

fn missing(manifest: &str) -> impl Iterator<Item = &'static str> {
    let wanted = [
        "license.workspace = true",
        "publish.workspace = true",
        "[lints]\nworkspace = true",
    ];
    wanted
        .into_iter()
        .filter(|line| !manifest.contains(line))
        .map(|line| line.lines().next().unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_from_one_line() {
        assert_eq!(
            members("[workspace]\nmembers = [\"a\", \"b\"]\n"),
            ["a", "b"]
        );
    }

    #[test]
    fn a_package_without_lints_is_found() {
        let good =
            "license.workspace = true\npublish.workspace = true\n[lints]\nworkspace = true\n";
        assert_eq!(missing(good).count(), 0);
        assert_eq!(missing("[package]\n").collect::<Vec<_>>().len(), 3);
    }
}
