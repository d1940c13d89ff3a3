//! A body that must have come by a deadline: who sends it a byte at a time holds nothing for long.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// A body that fails once its deadline has passed. It counts from the beginning of the request,
/// whether it is read or not; the clock is set up only for a body that is not there at once.
#[derive(Debug)]
pub(crate) struct Deadline<B> {
    body: B,
    at: Instant,
    clock: Option<Pin<Box<Sleep>>>,
}

impl<B> Deadline<B> {
    pub(crate) fn new(body: B, within: Duration) -> Self {
        Self {
            body,
            at: Instant::now() + within,
            clock: None,
        }
    }
}

/// Why a body failed.
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
        let at = self.at;
        let clock = self
            .clock
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        clock
            .as_mut()
            .poll(cx)
            .map(|()| Some(Err(BodyError::TooLate)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
