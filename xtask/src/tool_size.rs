//! The size of the tool's program, as `cargo install` builds it and without its symbols.

use std::path::Path;

use crate::paths::target;
use crate::shell::{cargo, cmd, run};

/// The largest size, in bytes: the program is downloaded by every job of a CI.
const MAX_BYTES: u64 = 15_000_000;

/// Builds the tool, and fails if it is too large.
pub(crate) fn check() -> Result<(), String> {
    run(cargo().args(["build", "--release", "-p", "metaia-cli"]))?;
    let folder = target().join("release");
    let stripped = folder.join("metaia-stripped");
    run(cmd("strip")
        .arg("-o")
        .arg(&stripped)
        .arg(folder.join("metaia")))?;
    let bytes = size(&stripped)?;
    eprintln!("metaia has {bytes} bytes, of {MAX_BYTES}");
    judge(bytes)
}

fn size(path: &Path) -> Result<u64, String> {
    let file = path.metadata();
    let file = file.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(file.len())
}

fn judge(bytes: u64) -> Result<(), String> {
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    Err(format!("metaia has {bytes} bytes, more than {MAX_BYTES}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_the_largest_size_is_accepted_and_a_larger_one_is_not() {
        assert!(judge(MAX_BYTES).is_ok());
        assert!(judge(MAX_BYTES + 1).is_err());
    }
}
