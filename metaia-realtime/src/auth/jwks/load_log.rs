//! Log lines about the attempts to load the keys of a set.

use std::error::Error;

use super::{
    document::KeyTable,
    loader::{JwksError, LoadedKeys},
};
use crate::failure_log::FailureLog;

/// The facts that were logged last, so that nothing is logged twice in a row.
pub(super) struct LoadLog {
    /// The issuer as log lines name it.
    name: String,
    place: String,
    failures: FailureLog,
    left_out: String,
}

impl LoadLog {
    pub(super) fn new(issuer: Option<&str>, place: &str) -> Self {
        Self {
            name: name(issuer),
            place: place.to_owned(),
            failures: FailureLog::default(),
            left_out: String::new(),
        }
    }

    /// Logs the first failure, the first success after it, and other keys that are left out.
    pub(super) fn attempted(&mut self, loaded: &Result<LoadedKeys, JwksError>, has_keys: bool) {
        let Self { name, place, .. } = self;
        match loaded {
            Ok(loaded) => {
                let again = || tracing::info!("the keys {name} are loaded again from {place}");
                self.failures.worked(again);
                if let Some(table) = &loaded.table {
                    self.left_out(table);
                }
            }
            Err(error) => {
                let warn = || warn(name, place, error, has_keys);
                self.failures.failed(warn);
            }
        }
    }

    /// Logs the keys that are left out, if they are others than before.
    pub(super) fn left_out(&mut self, table: &KeyTable) {
        let left_out = table.left_out();
        if left_out != self.left_out && !left_out.is_empty() {
            let count = table.len();
            let Self { name, place, .. } = self;
            tracing::info!("{count} keys {name} are used from {place}; left out{left_out}");
        }
        self.left_out = left_out;
    }
}

fn name(issuer: Option<&str>) -> String {
    match issuer {
        Some(issuer) => format!("of the issuer {issuer:?}"),
        None => "of any issuer".to_owned(),
    }
}

fn warn(name: &str, place: &str, error: &JwksError, has_keys: bool) {
    let cause = causes(error);
    let effect = if has_keys {
        "the keys that are known stay in use"
    } else {
        "tokens of this issuer are answered `unavailable` until then"
    };
    tracing::warn!(
        "the keys {name} cannot be loaded from {place}: {cause}. It is tried again; {effect}. \
         Check the address, and that this machine reaches it"
    );
}

/// Returns an error with its causes.
fn causes(error: &JwksError) -> String {
    let mut text = error.to_string();
    let mut cause = Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
