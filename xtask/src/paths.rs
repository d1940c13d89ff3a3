//! The workspace's root, and its target folder.

use std::path::{Path, PathBuf};

/// The workspace's root.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// The target folder that this very program was built into, so that `CARGO_TARGET_DIR` and a
/// configured `build.target-dir` need no second guess: `target/debug/xtask` is two levels below it.
pub(crate) fn target() -> PathBuf {
    let here = std::env::current_exe().unwrap_or_default();
    here.ancestors()
        .nth(2)
        .map_or_else(|| root().join("target"), Path::to_path_buf)
}

/// Returns the folder of what the tests need and no package manager of the system provides.
pub(crate) fn tools() -> PathBuf {
    target().join("tools")
}
