//! A request body with a deadline: a client that sends it byte by byte cannot occupy the server for
//! long.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// A body that fails once its deadline has passed.
///
/// The deadline counts from the beginning of the request, even while nothing reads the body. The
/// timer is created only for a body that is not available at once.
#[derive(Debug)]
pub(crate) struct Deadline<B> {
    body: B,
    expires_at: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B> Deadline<B> {
    pub(crate) fn new(body: B, timeout: Duration) -> Self {
        Self {
            body,
            expires_at: Instant::now() + timeout,
            timer: None,
        }
    }
}

/// The reason why a body failed.
#[derive(Debug)]
pub(crate) enum BodyError<E> {
    TooLate,
    Other(E),
}

impl<E> fmt::Display for BodyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLate => "the body of the request did not come in time",
            Self::Other(_) => "the body of the request could not be read",
        })
    }
}

impl<E: std::error::Error + 'static> std::error::Error for BodyError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::TooLate => None,
            Self::Other(error) => Some(error),
        }
    }
}

impl<B: Body + Unpin> Body for Deadline<B> {
    type Data = B::Data;
    type Error = BodyError<B::Error>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Other)));
        }
        let expires_at = self.expires_at;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(expires_at)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Some(Err(BodyError::TooLate)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
