//! The options of a handle, and the bounds that are not configurable.

use std::time::Duration;

/// The name that connections report to the server (`appName`), unless the connection string has
/// another one.
pub(super) const DEFAULT_APP_NAME: &str = "metaia-realtime";

/// The time after which one operation counts as failed.
pub(super) const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// Settings that an operator may choose beside the connection string.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct MongoOptions {
    pub(super) pool: Option<u32>,
}

impl MongoOptions {
    /// Sets the maximum number of connections to each server, whatever the connection string says.
    /// Default: 32.
    #[must_use]
    pub const fn pool(mut self, connections: u32) -> Self {
        self.pool = Some(connections);
        self
    }
}
