//! The check of a file of keys before each time that it is read.

use std::path::Path;

use nix::unistd::Uid;

use crate::{auth::untrusted::Untrusted, config::Environment};

/// Returns the check: in production it refuses a file that others can change, and in development it
/// logs a warning.
pub(super) fn check(environment: Environment) -> fn(&Path) -> Result<(), String> {
    if environment == Environment::Production {
        refuse
    } else {
        warn
    }
}

fn refuse(file: &Path) -> Result<(), String> {
    untrusted(file).map_or(Ok(()), |reason| Err(reason.to_string()))
}

#[expect(clippy::unnecessary_wraps, reason = "it stands in for `refuse`")]
fn warn(file: &Path) -> Result<(), String> {
    if let Some(reason) = untrusted(file) {
        let file = file.display();
        tracing::warn!("production would not read the keys: {file} {reason}");
    }
    Ok(())
}

fn untrusted(file: &Path) -> Option<Untrusted> {
    Untrusted::of(file, Uid::effective().as_raw())
}
