//! The end of a connection: the last frames are written, and the client has time to read them.

use std::{
    future::poll_fn,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio_tungstenite::tungstenite::protocol::frame::coding::Control;

use super::{Conversation, Lost};
use crate::transport::socketio::{
    direct::{frames::control_frame, writer::FrameKind},
    websocket::{FrameReader, Message},
};

impl Conversation {
    /// Sends a close frame with this code, and waits until the client has closed the connection,
    /// for `time` at most. What it sends meanwhile is dropped, but read: the kernel would otherwise
    /// reset the connection, and the client might lose what was written last.
    pub(in super::super) async fn close(&mut self, code: Option<u16>, time: Duration) {
        let payload = code.map(u16::to_be_bytes);
        let payload = payload.as_ref().map_or(&[][..], <[u8; 2]>::as_slice);
        let frame = control_frame(Control::Close, payload);
        self.connection.send(frame, FrameKind::Other);
        tokio::time::timeout(time, poll_fn(|cx| self.poll_gone(cx)))
            .await
            .ok();
        self.shut_down(time).await;
    }

    /// Waits until what is queued is written, for `time` at most.
    pub(in super::super) async fn finish_writing(&mut self, time: Duration) {
        tokio::time::timeout(time, poll_fn(|cx| self.poll_flushed(cx)))
            .await
            .ok();
        self.shut_down(time).await;
    }

    async fn shut_down(&mut self, time: Duration) {
        let shut_down = poll_fn(|cx| self.line.poll_shutdown(cx));
        tokio::time::timeout(time, shut_down).await.ok();
    }

    /// Ready once the client has gone, or has sent a close frame.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.poll_write(cx).is_err() || self.read_close() {
                return Poll::Ready(());
            }
            // A client that has sent too much is not read from any more.
            if self.lost == Some(Lost::TooMuch) {
                return Poll::Pending;
            }
            match ready!(self.poll_read(cx)) {
                Ok(()) => {}
                Err(Lost::TooMuch) => self.lost = Some(Lost::TooMuch),
                Err(_) => return Poll::Ready(()),
            }
        }
    }

    /// Drops what was read. Returns whether there was a close frame.
    fn read_close(&mut self) -> bool {
        loop {
            match self.reader.next() {
                Ok(None) => return false,
                Ok(Some(Message::Control(Control::Close, _))) => return true,
                Ok(Some(_)) => {}
                Err(_) => {
                    // It is not known where the next frame begins.
                    self.reader = FrameReader::new(0);
                    return false;
                }
            }
        }
    }

    fn poll_flushed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.poll_write(cx).is_err() || self.connection.queued() == 0 {
            return Poll::Ready(());
        }
        Poll::Pending
    }
}
