//! The body of a polling client's POST, observed while the engine reads it.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes};
use http_body::{Body, Frame, SizeHint};

use super::link::Link;
use crate::transport::guard::{Observer as _, PacketScanner};

/// A request body that counts what a polling client POSTs. Other requests pass without being
/// observed.
#[derive(Debug)]
pub(super) struct PostBody<B> {
    body: B,
    observed: Option<(Arc<Link>, PacketScanner)>,
}

impl<B> PostBody<B> {
    /// Wraps `body`. `link` is that of a POST, and `None` for any other request.
    pub(super) fn new(link: Option<Arc<Link>>, body: B) -> Self {
        Self {
            body,
            observed: link.map(|link| (link, PacketScanner::default())),
        }
    }

    fn observe(&mut self, bytes: &Bytes) {
        let Some((link, packets)) = &mut self.observed else {
            return;
        };
        link.add_posted(bytes.len());
        if packets.has_pong(bytes) {
            link.pong();
        }
    }
}

impl<B: Body + Unpin> Body for PostBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)) else {
            return Poll::Ready(None);
        };
        let frame = frame?.map_data(|mut data| data.copy_to_bytes(data.remaining()));
        if let Some(bytes) = frame.data_ref() {
            self.observe(bytes);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
