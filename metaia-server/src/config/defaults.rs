//! The default of every setting that has one, as the text that a user would write.
//!
//! They are stated only here. `--help` and `metaia-server config` show them, the reader parses them
//! like any other value, and tests compare the tables in `docs/` with them. The defaults that the
//! library owns are formatted from its constants.

use std::time::Duration;

use metaia_realtime::log::Retention;

use super::limits;

pub(crate) const PORT: &str = "5000";
/// The addresses outside production: a server with the defaults of development is for this machine.
pub(crate) const HOST: &str = "localhost";
/// The addresses in production.
pub(super) const PRODUCTION_HOST: &str = "::";
pub(crate) const ENVIRONMENT: &str = "development";
pub(crate) const DATA: &str = "./metaia-data";
pub(crate) const DURABILITY: &str = "full";
pub(crate) const ORIGINS: &str = "*";
pub(crate) const TRANSPORTS: &str = "polling,websocket";
pub(crate) const LOG_FORMAT: &str = "text";
pub(super) const TOKEN_IN_QUERY: &str = "false";
pub(super) const DEVICE_RESUME: &str = "true";
pub(super) const JWKS_REFRESH_MS: &str = "300000";
pub(super) const DRAIN_MS: &str = "9000";
pub(super) const KEEP_ALIVE_MS: &str = "75000";
pub(super) const METRICS: &str = "127.0.0.1:9464";

/// The retention of the log on disk.
pub(super) const RETENTION: Retention = Retention::DISK;

/// One day, the unit of `METAIA_RETENTION_DAYS`.
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns every limit of `METAIA_LIMITS`.
pub(crate) fn limits() -> String {
    limits::default_text()
}

pub(super) fn retention_days() -> String {
    (RETENTION.age.as_secs() / DAY.as_secs()).to_string()
}

pub(super) fn retention_entries() -> String {
    RETENTION.entries.to_string()
}
