//! The body of an answer of the engine, watched while it passes.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{Engine, link::Link};
use crate::{
    session::EndReason,
    transport::guard::{Connection, Observer as _, PacketScanner},
};

/// What is watched for.
pub(super) enum Watch {
    Nothing,
    /// The answer to a polling handshake: its `sid`.
    Opening(Arc<Engine>),
    /// The answer to a poll: which packets go out, and whether all of them do.
    Poll(Polled),
}

/// The answer to a poll. What stands in it has left the engine: where it does not go out whole, its
/// client must come back to get it.
pub(super) struct Polled {
    link: Arc<Link>,
    connection: Option<Connection>,
    packets: PacketScanner,
    is_whole: bool,
}

impl Polled {
    pub(super) fn new(link: Arc<Link>, connection: Option<Connection>) -> Self {
        if let Some(connection) = &connection {
            connection.answers(Arc::downgrade(&link) as _);
        }
        Self {
            link,
            connection,
            packets: PacketScanner::default(),
            is_whole: false,
        }
    }

    fn ends(&mut self) {
        self.is_whole = true;
        if let Some(connection) = &self.connection {
            connection.answer_is_whole();
        }
    }
}

impl Drop for Polled {
    fn drop(&mut self) {
        if !self.is_whole {
            self.link.lose(EndReason::TransportLost);
        }
    }
}

pin_project! {
    /// A body that is watched.
    pub(super) struct Watched<B> {
        #[pin]
        body: B,
        watch: Watch,
    }
}

impl<B> Watched<B> {
    pub(super) fn new(body: B, mut watch: Watch) -> Self
    where
        B: Body,
    {
        if body.is_end_stream() {
            watch.ends();
        }
        Self { body, watch }
    }
}

impl Watch {
    fn see(&mut self, bytes: &Bytes) {
        match self {
            Self::Nothing => {}
            Self::Opening(engine) => {
                if let Some(sid) = opened_sid(bytes) {
                    engine.open_link(sid);
                }
            }
            Self::Poll(polled) => {
                polled.link.intake.give(bytes.len());
                polled.link.written(polled.packets.written(bytes));
            }
        }
    }

    /// The body has ended.
    fn ends(&mut self) {
        if let Self::Poll(polled) = self {
            polled.ends();
        }
    }
}

/// The `sid` of an Engine.IO open packet, `0{"sid":"…",…}`.
fn opened_sid(bytes: &[u8]) -> Option<&str> {
    #[derive(serde::Deserialize)]
    struct Open<'a> {
        sid: &'a str,
    }
    serde_json::from_slice::<Open<'_>>(bytes.strip_prefix(b"0")?)
        .ok()
        .map(|open| open.sid)
}

impl<B: Body<Data = Bytes>> Body for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.body.as_mut().poll_frame(cx));
        if let Some(bytes) = frame
            .as_ref()
            .and_then(|frame| frame.as_ref().ok()?.data_ref())
        {
            this.watch.see(bytes);
        }
        if frame.is_none() || this.body.is_end_stream() {
            this.watch.ends();
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
