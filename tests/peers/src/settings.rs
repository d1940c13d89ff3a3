//! The settings that the benchmark gives by the environment.

use std::{path::PathBuf, time::Duration};

use crate::Failure;

/// Returns the interval between two pings of a client: `PING_SECONDS`.
pub(crate) fn ping_interval() -> Result<Duration, Failure> {
    Ok(Duration::from_secs(variable("PING_SECONDS")?.parse()?))
}

/// Returns the secret of the clients' tokens: `JWT_SECRET`.
pub(crate) fn secret() -> Result<String, Failure> {
    variable("JWT_SECRET")
}

/// Returns the folder for a database: `METAIA_DATA`.
pub(crate) fn folder() -> Result<PathBuf, Failure> {
    variable("METAIA_DATA").map(PathBuf::from)
}

fn variable(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|_| format!("{name} is not set").into())
}
