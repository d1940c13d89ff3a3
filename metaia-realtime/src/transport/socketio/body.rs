//! The body of an answer of the engine, observed while it is written.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::{engine::Engine, handshake::OpeningHandshake, link::Link, scan::PacketScanner};
use crate::{
    session::EndReason,
    transport::guard::{Connection, Observer as _},
};

/// The observer of a response body.
pub(super) enum ResponseObserver {
    /// Reads the `sid` in the answer to a polling handshake.
    Handshake(HandshakeObserver),
    /// Counts the packets in the answer to a poll.
    Poll(PollObserver),
}

impl ResponseObserver {
    fn observe(&mut self, bytes: &Bytes) {
        match self {
            Self::Handshake(handshake) => handshake.observe(bytes),
            Self::Poll(poll) => poll.observe(bytes),
        }
    }

    /// Records that the body is complete.
    fn complete(&mut self) {
        if let Self::Poll(poll) = self {
            poll.complete();
        }
    }
}

/// The observer of the answer to a polling handshake.
pub(super) struct HandshakeObserver {
    pub(super) engine: Arc<Engine>,
    /// The time of the handshake, before the engine has it.
    pub(super) opened_at: Instant,
    /// The handshake, until it is answered.
    pub(super) handshake: Option<OpeningHandshake>,
}

impl HandshakeObserver {
    fn observe(&mut self, bytes: &Bytes) {
        if let Some(sid) = opened_sid(bytes) {
            let handshake = self.handshake.take().unwrap_or_default();
            self.engine.open_link(sid, self.opened_at, handshake);
        }
    }
}

/// The observer of the answer to a poll.
///
/// The packets in the answer have left the engine. If it is dropped before the body is complete,
/// the link is lost, so that the client reconnects and receives them then.
pub(super) struct PollObserver {
    link: Arc<Link>,
    connection: Option<Connection>,
    packets: PacketScanner,
    complete: bool,
}

impl PollObserver {
    pub(super) fn new(link: Arc<Link>, connection: Option<Connection>) -> Self {
        if let Some(connection) = &connection {
            connection.begin_poll_answer(Arc::downgrade(&link) as _);
        }
        Self {
            link,
            connection,
            packets: PacketScanner::default(),
            complete: false,
        }
    }

    fn observe(&mut self, bytes: &Bytes) {
        self.link.read_budget.release(bytes.len());
        self.link.written(self.packets.written(bytes));
    }

    fn complete(&mut self) {
        self.complete = true;
        if let Some(connection) = &self.connection {
            connection.complete_poll_answer();
        }
    }
}

impl Drop for PollObserver {
    fn drop(&mut self) {
        if !self.complete {
            self.link.lose(EndReason::TransportLost);
        }
    }
}

pin_project! {
    /// A response body with its observer.
    pub(super) struct ObservedBody<B> {
        #[pin]
        body: B,
        observer: ResponseObserver,
    }
}

impl<B: Body> ObservedBody<B> {
    pub(super) fn new(body: B, mut observer: ResponseObserver) -> Self {
        if body.is_end_stream() {
            observer.complete();
        }
        Self { body, observer }
    }
}

impl<B: Body<Data = Bytes>> Body for ObservedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.body.as_mut().poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(bytes) = frame.data_ref()
        {
            this.observer.observe(bytes);
        }
        // A body may report its end together with the last frame, and is not polled again then.
        if frame.is_none() || this.body.is_end_stream() {
            this.observer.complete();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Returns the `sid` of an Engine.IO open packet, `0{"sid":"…",…}`.
fn opened_sid(bytes: &[u8]) -> Option<&str> {
    #[derive(serde::Deserialize)]
    struct Open<'a> {
        sid: &'a str,
    }
    let json = bytes.strip_prefix(b"0")?;
    let open: Open<'_> = serde_json::from_slice(json).ok()?;
    Some(open.sid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sid_of_an_open_packet_is_found() {
        assert_eq!(
            opened_sid(br#"0{"sid":"abc","upgrades":["websocket"],"pingInterval":25000}"#),
            Some("abc")
        );
        assert_eq!(opened_sid(b"40"), None);
        assert_eq!(opened_sid(b""), None);
    }
}
