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

use crate::values::after;

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
            expires_at: after(Instant::now(), timeout),
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::{BodyExt as _, Full};

    use super::*;

    /// A body that never comes.
    #[derive(Debug)]
    struct Silent;

    impl Body for Silent {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_fails_after_its_time() {
        let start = Instant::now();
        let time = Duration::from_secs(30);
        let frame = Deadline::new(Silent, time).frame().await;
        assert!(matches!(frame, Some(Err(BodyError::TooLate))));
        assert_eq!(start.elapsed(), time);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_have_as_long_as_can_be() {
        let body = Deadline::new(Full::new(Bytes::from("all")), Duration::MAX);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "all");
        let mut body = Deadline::new(Silent, Duration::MAX);
        let waited = tokio::time::timeout(Duration::from_secs(1_000_000), body.frame());
        assert!(waited.await.is_err());
    }
}
