//! The body of a request, watched while the engine takes it in.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes};
use http_body::{Body, Frame, SizeHint};

use super::link::Link;
use crate::transport::guard::{Observer as _, PacketScanner};

/// A body that is watched where a polling client POSTs it.
#[derive(Debug)]
pub(super) struct Posted<B> {
    body: B,
    watch: Option<(Arc<Link>, PacketScanner)>,
}

impl<B> Posted<B> {
    pub(super) fn by(link: Option<Arc<Link>>, body: B) -> Self {
        Self {
            body,
            watch: link.map(|link| (link, PacketScanner::default())),
        }
    }

    fn see(&mut self, bytes: &Bytes) {
        let Some((link, packets)) = &mut self.watch else {
            return;
        };
        link.add_posted(bytes.len());
        if packets.has_pong(bytes) {
            link.pong();
        }
    }
}

impl<B: Body + Unpin> Body for Posted<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let whole = |mut data: B::Data| data.copy_to_bytes(data.remaining());
        let frame =
            ready!(Pin::new(&mut self.body).poll_frame(cx)).map(|frame| Ok(frame?.map_data(whole)));
        if let Some(bytes) = frame
            .as_ref()
            .and_then(|frame| frame.as_ref().ok()?.data_ref())
        {
            self.see(bytes);
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
