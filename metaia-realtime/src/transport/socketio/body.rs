//! The body of an answer of the engine, watched while it passes.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::link::{Link, Links};
use crate::transport::guard::PacketScanner;

/// What is watched for.
pub(super) enum Watch {
    Nothing,
    /// The answer to a polling handshake: its `sid`.
    Opening(Arc<Links>),
    /// The answer to a poll: which packets go out.
    Poll(Arc<Link>, PacketScanner),
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
    pub(super) fn new(body: B, watch: Watch) -> Self {
        Self { body, watch }
    }
}

impl Watch {
    fn see(&mut self, bytes: &Bytes) {
        match self {
            Self::Nothing => {}
            Self::Opening(links) => {
                if let Some(sid) = opened_sid(bytes) {
                    links.open(sid);
                }
            }
            Self::Poll(link, packets) => link.add_written(packets.written(bytes)),
        }
    }
}

/// The `sid` of an Engine.IO open packet, `0{"sid":"…",…}`.
fn opened_sid(bytes: &[u8]) -> Option<&str> {
    #[derive(serde::Deserialize)]
    struct Open<'a> {
        sid: &'a str,
    }
    serde_json::from_slice::<Open<'_>>(bytes.strip_prefix(b"0")?).ok().map(|open| open.sid)
}

impl<B: Body<Data = Bytes>> Body for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(cx));
        if let Some(bytes) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            this.watch.see(bytes);
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
