//! The server's clock, as the answer to a handshake shows it.

use http::HeaderMap;
use http::header::DATE;

use crate::values::time::unix_ms;

/// The header `Date` of the answer to a handshake, and the time when it was read. Together they
/// tell how far apart the clocks of the server and of this machine are, to a second.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerDate {
    /// The header, as in `Sun, 06 Nov 1994 08:49:37 GMT`.
    pub header: String,
    /// The time when it was read, in Unix milliseconds of this machine's clock.
    pub read_at: i64,
}

impl ServerDate {
    pub(crate) fn now(headers: &HeaderMap) -> Option<Self> {
        let header = headers.get(DATE)?.to_str().ok()?;
        Some(Self {
            header: header.to_owned(),
            read_at: unix_ms(),
        })
    }
}
