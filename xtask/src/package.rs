//! The library as others receive it: the archive that `cargo package` makes.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::paths::target;
use crate::shell::{cargo, cmd, output, run};

const LIBRARY: &str = "metaia-realtime";

/// The files that the archive contains beside the source.
const WANTED: [&str; 3] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// The members of the manifest that describe the library.
const MEMBERS: [&str; 7] = [
    "categories",
    "description",
    "documentation",
    "keywords",
    "license.workspace",
    "readme",
    "rust-version.workspace",
];

/// Returns what the archive lacks, and what the manifest at `root` does not say.
pub(crate) fn check(root: &Path) -> Result<Vec<String>, String> {
    let list = ["package", "--list", "--allow-dirty", "--offline", "-p"];
    let files = output(cargo().args(list).arg(LIBRARY))?;
    let files = missing_files(&files).map(|file| format!("the package of {LIBRARY} lacks {file}"));
    let manifest = crate::shell::read(&root.join(LIBRARY).join("Cargo.toml"))?;
    let members = missing_members(&manifest);
    let members = members.map(|name| format!("{LIBRARY}/Cargo.toml does not say `{name}`"));
    Ok(files.chain(members).collect())
}

fn missing_files(list: &str) -> impl Iterator<Item = &'static str> {
    WANTED
        .into_iter()
        .filter(|file| !list.lines().any(|line| line == *file))
}

fn missing_members(manifest: &str) -> impl Iterator<Item = &'static str> {
    let says = |name: &str| {
        let mut members = manifest.lines().filter_map(|line| line.split_once(" = "));
        members.any(|(member, _)| member == name)
    };
    MEMBERS.into_iter().filter(move |name| !says(name))
}

/// Packs the library, and runs the examples of its docs and of its README from the archive, outside
/// of the workspace.
pub(crate) fn run_doctests() -> Result<(), String> {
    let pack = ["package", "--allow-dirty", "--no-verify", "-p", LIBRARY];
    run(cargo().args(pack))?;
    let unpacked = unpack()?;
    run(cargo()
        .current_dir(&unpacked)
        .env("CARGO_TARGET_DIR", target())
        .args(["test", "--doc", "--all-features"]))
}

/// Unpacks the archive that was made last, and returns its folder.
fn unpack() -> Result<PathBuf, String> {
    let packages = target().join("package");
    let name = format!("{LIBRARY}-{}", env!("CARGO_PKG_VERSION"));
    let archive = packages.join(format!("{name}.crate"));
    let folder = packages.join(&name);
    run(cmd("rm").arg("-rf").arg(&folder))?;
    run(cmd("tar")
        .arg("-xzf")
        .arg(&archive)
        .arg("-C")
        .arg(&packages))?;
    leave_workspace(&folder.join("Cargo.toml"))?;
    Ok(folder)
}

/// Makes the package a workspace of its own: the target folder may be in ours.
fn leave_workspace(manifest: &Path) -> Result<(), String> {
    let mut file = std::fs::OpenOptions::new();
    let file = file.append(true).open(manifest);
    let written = file.and_then(|mut file| file.write_all(b"\n[workspace]\n"));
    written.map_err(|error| format!("{}: {error}", manifest.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_packed_is_found() {
        let list = "Cargo.toml\nLICENSE-MIT\nREADME.md\nsrc/LICENSE-APACHE\n";
        assert_eq!(missing_files(list).collect::<Vec<_>>(), ["LICENSE-APACHE"]);
        assert_eq!(missing_files("").count(), WANTED.len());
    }

    #[test]
    fn a_member_that_the_manifest_lacks_is_found() {
        let manifest = MEMBERS.map(|name| format!("{name} = true\n")).concat();
        assert_eq!(missing_members(&manifest).count(), 0);
        let manifest = manifest.replace("keywords = ", "keywords_of_another = ");
        assert_eq!(missing_members(&manifest).collect::<Vec<_>>(), ["keywords"]);
    }
}
