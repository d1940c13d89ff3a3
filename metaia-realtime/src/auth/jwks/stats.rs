//! The state of a key set for those who watch it.

use std::time::Duration;

/// The state of a key set:
/// [`JwtAuthenticator::key_set_stats`](crate::JwtAuthenticator::key_set_stats) returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeySetStats {
    /// The place of the keys, without anything that may be secret.
    pub place: String,
    /// The issuer; `None`: any.
    pub issuer: Option<String>,
    /// The time since the keys were loaded last, or found unchanged; if they never were, since the
    /// authenticator was made. More than
    /// [`JwksSource::keep_for`](super::JwksSource::keep_for), and they are not used any more.
    pub age: Duration,
    /// The number of attempts to load the keys that failed.
    pub failures: u64,
}
