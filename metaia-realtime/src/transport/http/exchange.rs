//! One request of a connection and its answer, as the connection learns of them.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version,
    header::CONNECTION,
};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio_util::sync::CancellationToken;

use crate::transport::guard::Connection;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// The time by which a connection lives longer than it is announced to. A client that keeps to what
/// is announced never sends a request while the server closes.
const ANNOUNCED_EARLIER: Duration = Duration::from_secs(5);

/// Returns what the header `Keep-Alive` says of connections that live this long while idle. `None`:
/// it is too short to be of use.
pub(super) fn announcement(keep_alive: Duration) -> Option<HeaderValue> {
    let announced = keep_alive.checked_sub(ANNOUNCED_EARLIER)?.as_secs();
    if announced == 0 {
        return None;
    }
    HeaderValue::try_from(format!("timeout={announced}")).ok()
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Exchange {
    connection: Connection,
    /// A success opens a tunnel.
    is_connect: bool,
    /// `None`: the connection closes after the answer.
    keep_alive: Option<HeaderValue>,
    /// Set once the server stops: the connection closes after the answer.
    stopping: CancellationToken,
}

impl Exchange {
    /// Records that the head of a request has come.
    pub(super) fn begin<B: Body>(
        connection: &Connection,
        request: &Request<B>,
        keep_alive: Option<&HeaderValue>,
        stopping: &CancellationToken,
    ) -> Self {
        connection.serve_request(request.body().size_hint().exact());
        Self {
            connection: connection.clone(),
            is_connect: request.method() == Method::CONNECT,
            keep_alive: keep_alive.filter(|_| is_kept_alive(request)).cloned(),
            stopping: stopping.clone(),
        }
    }

    /// Returns the answer as it goes out.
    pub(super) fn answer<B>(self, mut response: Response<B>) -> Response<AnswerBody<B>> {
        let status = response.status();
        let opens_tunnel = self.is_connect && status.is_success();
        if opens_tunnel || status == StatusCode::SWITCHING_PROTOCOLS {
            self.connection.leave_http();
        } else if let Some(keep_alive) = self.keep_alive
            && !self.stopping.is_cancelled()
            && !response.headers().contains_key(CONNECTION)
        {
            let headers = response.headers_mut();
            headers.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
            headers.insert(KEEP_ALIVE, keep_alive);
        }
        let end = AnswerEnd(self.connection);
        response.map(|body| AnswerBody { body, end })
    }
}

/// Returns whether the connection stays open after the answer, as far as the client is concerned.
fn is_kept_alive<B>(request: &Request<B>) -> bool {
    match request.version() {
        Version::HTTP_11 => !has_option(request.headers(), "close"),
        Version::HTTP_10 => has_option(request.headers(), "keep-alive"),
        _ => false,
    }
}

/// Returns whether the headers `Connection` have this option.
fn has_option(headers: &HeaderMap, option: &str) -> bool {
    let values = headers.get_all(CONNECTION).iter();
    let mut options = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    options.any(|given| given.trim().eq_ignore_ascii_case(option))
}

pin_project! {
    /// The body of an answer. HTTP drops it as soon as it has all of it.
    pub(super) struct AnswerBody<B> {
        #[pin]
        body: B,
        end: AnswerEnd,
    }
}

/// Records, when it is dropped, that HTTP has the whole answer.
struct AnswerEnd(Connection);

impl Drop for AnswerEnd {
    fn drop(&mut self) {
        self.0.complete_answer();
    }
}

impl<B: Body<Data = Bytes>> Body for AnswerBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep_alive(version: Version, connection: &str) -> bool {
        let mut request = Request::new(());
        *request.version_mut() = version;
        let connection = HeaderValue::from_str(connection).unwrap();
        request.headers_mut().insert(CONNECTION, connection);
        is_kept_alive(&request)
    }

    #[test]
    fn the_client_says_whether_the_connection_stays_open() {
        assert!(keep_alive(Version::HTTP_11, ""));
        assert!(keep_alive(Version::HTTP_11, "keep-alive, te"));
        assert!(!keep_alive(Version::HTTP_11, "te, Close"));
        assert!(!keep_alive(Version::HTTP_10, ""));
        assert!(keep_alive(Version::HTTP_10, "Keep-Alive"));
    }

    #[test]
    fn less_is_announced_than_is_kept() {
        let announced = |seconds| announcement(Duration::from_secs(seconds));
        assert_eq!(announced(75).unwrap(), "timeout=70");
        assert_eq!(announced(6).unwrap(), "timeout=1");
        assert_eq!(announced(5), None);
        assert_eq!(announced(0), None);
    }
}
