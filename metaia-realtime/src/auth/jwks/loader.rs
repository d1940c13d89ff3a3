//! One attempt to load the keys of a set.

use std::{io, time::Duration};

use futures_util::future::BoxFuture;

use super::document::{DocumentFault, KeyTable};

/// The longest document, in bytes.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// Loads the keys of a set from the place where they are.
pub(super) trait KeyLoader: Send + Sync + 'static {
    /// Loads the keys once. The caller drops the future after its own time limit.
    fn load(&self) -> BoxFuture<'_, Result<LoadedKeys, JwksError>>;

    /// Returns the place for people, without anything that may be secret.
    fn place(&self) -> &str;
}

/// The result of an attempt.
pub(super) struct LoadedKeys {
    /// The keys. `None`: they are those of the last attempt.
    pub(super) table: Option<KeyTable>,
    /// The time after which the source wants to be asked again.
    pub(super) max_age: Option<Duration>,
}

/// The reason why keys could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwksError {
    /// The text is not the address of a key set, for this reason.
    #[error("{0}")]
    Address(&'static str),
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be built")]
    Client(#[source] reqwest::Error),
    /// The file cannot be read.
    #[error("the file cannot be read")]
    File(#[source] io::Error),
    /// The check of [`JwksSource::file_if`](super::JwksSource::file_if) refuses the file.
    #[error("the file is not trusted")]
    Untrusted(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The host cannot be reached, or the connection broke.
    #[error("the host cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The host took too long.
    #[error("no whole answer within {} s", .0.as_secs())]
    Slow(Duration),
    /// The host answered with this status.
    #[error("the host answered with the status {0}")]
    Status(u16),
    /// The document is longer than 1 MiB.
    #[error("the document has more than 1 MiB")]
    TooLong,
    /// The document is no key set, or has no key that can be used. The text says which.
    #[error("the document is not used: {0}")]
    Document(String),
}

impl From<DocumentFault> for JwksError {
    fn from(fault: DocumentFault) -> Self {
        Self::Document(fault.to_string())
    }
}
