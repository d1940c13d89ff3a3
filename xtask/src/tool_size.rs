//! The size of the tool's program as it is handed out.

use std::path::Path;

use crate::paths::target;
use crate::shell::{cargo, run};

const PROFILE: &str = "dist";

/// The largest size, in bytes: a program of QA is downloaded often.
const MAX_BYTES: u64 = 15_000_000;

/// Builds the tool, and fails if it is too large.
pub(crate) fn check() -> Result<(), String> {
    run(cargo().args(["build", "--profile", PROFILE, "-p", "metaia-cli"]))?;
    let bytes = size(&target().join(PROFILE).join("metaia"))?;
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
