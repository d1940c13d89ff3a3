//! The whole body of the answer that refused a WebSocket.
//!
//! tungstenite returns only the part that came together with the head, and gives the connection up.
//! The rest is read from a second handle of the socket. With TLS that is not possible: such a body
//! may be incomplete, and says so.

use std::time::Duration;

use http::{
    HeaderMap,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};
use tokio::{io::AsyncReadExt as _, net::TcpStream, time::timeout};
use tokio_tungstenite::tungstenite::handshake::client::Response;

use super::endpoint::http_error;
use crate::client::{error::ConnectError, http_answer::MAX_BODY_BYTES};

/// The time that the rest of a body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(2);

/// A second handle of a connection, for the rest of an answer.
pub(super) struct RestOfAnswer {
    /// Not registered with the runtime until it is needed.
    socket: Option<std::net::TcpStream>,
}

impl RestOfAnswer {
    pub(super) fn of(tcp: &TcpStream, is_tls: bool) -> Self {
        let handle = || socket2::SockRef::from(tcp).try_clone().ok();
        let socket = if is_tls { None } else { handle() };
        Self {
            socket: socket.map(Into::into),
        }
    }

    /// Reads the rest of the body, and returns the error for the answer.
    pub(super) async fn read(self, refused: Response) -> ConnectError {
        let (head, body) = refused.into_parts();
        let mut body = RefusedBody::new(&head.headers, body.unwrap_or_default());
        if let Some(mut tcp) = self.socket.and_then(|tcp| TcpStream::from_std(tcp).ok()) {
            // The bytes that have come within the time are kept.
            let _ = timeout(BODY_TIMEOUT, body.read_from(&mut tcp)).await;
        }
        let (text, is_complete) = body.decoded();
        http_error(head.status.as_u16(), &head.headers, &text, is_complete)
    }
}

/// The rule by which the end of a body is found.
enum BodyEnd {
    Length(usize),
    Chunked,
    /// The body ends with the connection.
    ToTheEnd,
}

impl BodyEnd {
    fn from_headers(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name)?.to_str().ok();
        if text(TRANSFER_ENCODING).is_some_and(|value| value.contains("chunked")) {
            return Self::Chunked;
        }
        match text(CONTENT_LENGTH).and_then(|value| value.trim().parse().ok()) {
            Some(length) => Self::Length(length),
            None => Self::ToTheEnd,
        }
    }
}

/// A body that is read piece by piece.
struct RefusedBody {
    end: BodyEnd,
    raw: Vec<u8>,
    /// True after the end of the connection.
    ended: bool,
}

impl RefusedBody {
    fn new(headers: &HeaderMap, raw: Vec<u8>) -> Self {
        Self {
            end: BodyEnd::from_headers(headers),
            raw,
            ended: false,
        }
    }

    async fn read_from(&mut self, tcp: &mut TcpStream) {
        let mut piece = [0; 4096];
        while !self.decoded().1 && self.raw.len() <= MAX_BODY_BYTES {
            match tcp.read(&mut piece).await {
                Ok(count @ 1..) => self.raw.extend_from_slice(&piece[..count]),
                Ok(0) | Err(_) => {
                    self.ended = true;
                    return;
                }
            }
        }
    }

    /// Returns the body so far, and whether it is complete.
    fn decoded(&self) -> (Vec<u8>, bool) {
        match self.end {
            BodyEnd::Length(length) => match self.raw.get(..length) {
                Some(body) => (body.to_vec(), true),
                None => (self.raw.clone(), false),
            },
            BodyEnd::Chunked => dechunked(&self.raw),
            BodyEnd::ToTheEnd => (self.raw.clone(), self.ended),
        }
    }
}

/// Returns the contents of the chunks, and whether the last one is among them.
fn dechunked(mut raw: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some((size, rest)) = chunk_size(raw) {
        if size == 0 {
            return (body, true);
        }
        body.extend_from_slice(&rest[..size.min(rest.len())]);
        // A line end follows each chunk.
        match size.checked_add(2).and_then(|end| rest.get(end..)) {
            Some(next) => raw = next,
            None => break,
        }
    }
    (body, false)
}

/// Returns the size of the first chunk, and what follows its line.
fn chunk_size(raw: &[u8]) -> Option<(usize, &[u8])> {
    let end = raw.windows(2).position(|pair| pair == b"\r\n")?;
    let line = std::str::from_utf8(&raw[..end]).ok()?;
    let digits = line.split(';').next()?.trim();
    let size = usize::from_str_radix(digits, 16).ok()?;
    Some((size, &raw[end + 2..]))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(header: Option<(HeaderName, &str)>, raw: &str, expected: (&str, bool)) {
        let header = header.map(|(name, value)| (name, HeaderValue::try_from(value).unwrap()));
        let headers = HeaderMap::from_iter(header);
        let (body, is_complete) = RefusedBody::new(&headers, raw.into()).decoded();
        assert_eq!(
            (String::from_utf8(body).unwrap().as_str(), is_complete),
            expected
        );
    }

    #[test]
    fn a_body_ends_where_its_headers_say() {
        check(Some((CONTENT_LENGTH, "4")), "busy", ("busy", true));
        check(Some((CONTENT_LENGTH, "4")), "busyextra", ("busy", true));
        check(Some((CONTENT_LENGTH, "5")), "busy", ("busy", false));
        check(Some((CONTENT_LENGTH, "0")), "", ("", true));
        check(None, "busy", ("busy", false));
    }

    #[test]
    fn chunks_are_joined() {
        let chunked = || Some((TRANSFER_ENCODING, "chunked"));
        check(
            chunked(),
            "2\r\nbu\r\n2;x\r\nsy\r\n0\r\n\r\n",
            ("busy", true),
        );
        check(chunked(), "2\r\nbu\r\n2\r\ns", ("bus", false));
        check(chunked(), "ffffffffffffffff\r\nbusy", ("busy", false));
        check(chunked(), "what?\r\n", ("", false));
    }

    proptest! {
        #[test]
        fn no_chunks_panic(raw in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = dechunked(&raw);
        }

        #[test]
        fn a_chunked_text_is_read_as_it_was(text in "[a-z\r\n]{1,40}", at in 1usize..40) {
            let (one, other) = text.split_at(at.min(text.len()));
            let mut raw = String::new();
            for chunk in [one, other].into_iter().filter(|chunk| !chunk.is_empty()) {
                raw += &format!("{:x}\r\n{chunk}\r\n", chunk.len());
            }
            raw += "0\r\n\r\n";
            prop_assert_eq!(dechunked(raw.as_bytes()), (text.into_bytes(), true));
        }
    }
}
