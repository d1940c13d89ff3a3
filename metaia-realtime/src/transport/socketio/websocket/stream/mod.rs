//! The stream that the engine reads and writes as the WebSocket of a client.
//!
//! It reads the bytes of the client frame by frame, rewrites the packets
//! ([`inbound_packet`](super::super::inbound_packet)), and frames them again for the engine. The
//! bytes of the engine pass unchanged, and are counted.
//!
//! At the edges: packets that must wait ([`membership`](super::super::membership)) wait here, at
//! most as many bytes as one message may have; after that nothing more is read. Only pongs, and the
//! pings and pongs of WebSocket itself, pass them: what a client has sent before it closes the
//! connection reaches the engine before the end does. If the connection has ended, packets wait no
//! longer than a polling client's do. A frame that a client must not send closes the stream.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::frame::coding::Control;

use super::{
    ending::Ending,
    frame::{
        BadFrame, FrameReader, Message, append_client_control, append_client_text, server_text,
    },
    waiting::WaitingPackets,
};
use crate::{
    Limits,
    transport::socketio::{
        inbound_packet::{InboundPacket, PacketKind},
        link::Link,
        membership::{Admission, longest_wait},
        scan::FrameScanner,
    },
};

/// Bytes that are read at a time.
const READ_BYTES: usize = 4 * 1024;

/// A WebSocket for the engine.
pub(super) struct EngineStream<S> {
    stream: S,
    link: Arc<Link>,
    reader: FrameReader,
    /// Frames that the engine has yet to read, from `taken` on.
    frames: Vec<u8>,
    taken: usize,
    waiting: WaitingPackets,
    written: FrameScanner,
    /// Set once the client has closed the connection, or has sent what it must not: nothing more is
    /// read.
    ending: Option<Ending>,
    /// The longest time that packets wait after that.
    ending_timeout: Duration,
    /// The number of bytes that the engine has yet to write and that the client has already got.
    unwanted: usize,
}

impl<S> EngineStream<S> {
    /// Creates the stream of a session whose client has switched to this WebSocket. The engine is
    /// shown the upgrade, which the client has been through.
    pub(super) fn upgraded(
        stream: S,
        link: Arc<Link>,
        reader: FrameReader,
        limits: &Limits,
    ) -> Self {
        let mut upgraded = Self::with_reader(stream, link, reader, limits);
        append_client_text(&mut upgraded.frames, "2probe");
        append_client_text(&mut upgraded.frames, "5");
        upgraded.unwanted = server_text("3probe").len();
        upgraded
    }

    fn with_reader(stream: S, link: Arc<Link>, reader: FrameReader, limits: &Limits) -> Self {
        Self {
            stream,
            link,
            reader,
            frames: Vec::new(),
            taken: 0,
            waiting: WaitingPackets::new(limits.message_bytes),
            written: FrameScanner::default(),
            ending: None,
            ending_timeout: longest_wait(limits),
            unwanted: 0,
        }
    }

    /// Moves frames to the engine's buffer. Returns whether there were any.
    fn take_frames(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let frames = &self.frames[self.taken..];
        if frames.is_empty() {
            return false;
        }
        let taken = frames.len().min(buf.remaining());
        buf.put_slice(&frames[..taken]);
        self.taken += taken;
        if self.taken == self.frames.len() {
            // Frees the memory: most clients send little.
            self.frames = Vec::new();
            self.taken = 0;
        }
        true
    }

    /// Makes frames of the messages that have come, and of those that need not wait any more.
    fn make_frames(&mut self, cx: &mut Context<'_>) {
        self.pass_waiting(cx);
        while !self.waiting.is_full() && self.ending.is_none() {
            match self.reader.next() {
                Ok(None) => break,
                Ok(Some(Message::Binary)) => {}
                Ok(Some(Message::Control(Control::Close, payload))) => self.close(payload),
                Ok(Some(Message::Control(control, payload))) => {
                    append_client_control(&mut self.frames, control, &payload);
                }
                Ok(Some(Message::Text(text))) => self.take_packet(&text, cx),
                Err(bad) => self.close_for(bad),
            }
        }
        if self.waiting.first().is_none()
            && let Some(ending) = &mut self.ending
        {
            ending.append_close_frame(&mut self.frames);
        }
    }

    /// Ends the stream for a frame that is not allowed. The engine echoes the code of the close
    /// frame to the client.
    fn close_for(&mut self, bad: BadFrame) {
        tracing::debug!(%bad, "a client sent a frame that is not allowed");
        self.close(bad.close_code().to_be_bytes().to_vec());
    }

    /// Ends the stream with a close frame.
    fn close(&mut self, payload: Vec<u8>) {
        self.ending = Some(Ending::with_close_frame(payload, self.ending_timeout));
    }

    /// Ready at the end of the stream: the engine has all packets, or their time has passed.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.ending {
            None => Poll::Pending,
            Some(_) if self.waiting.first().is_none() => Poll::Ready(()),
            Some(ending) => ending.poll_deadline(cx),
        }
    }

    fn take_packet(&mut self, packet: &str, cx: &mut Context<'_>) {
        let Some(packet) = InboundPacket::read(packet) else {
            return;
        };
        if packet.kind == PacketKind::Pong {
            self.link.pong();
        }
        // Not those of other kinds, either: one of them closes the connection.
        if packet.kind != PacketKind::Pong && self.waiting.first().is_some() {
            return self.waiting.push(packet);
        }
        match self.link.membership.admit(packet.kind) {
            Admission::Pass => append_client_text(&mut self.frames, &packet.text),
            Admission::Drop => {}
            Admission::Wait => {
                self.waiting.push(packet);
                self.pass_waiting(cx);
            }
        }
    }

    /// Makes frames of the packets whose turn has come.
    fn pass_waiting(&mut self, cx: &mut Context<'_>) {
        while let Some(kind) = self.waiting.first() {
            let admission = self.link.membership.admit(kind);
            if admission == Admission::Wait {
                if self.waiting.poll_settled(&self.link, kind, cx).is_pending() {
                    return;
                }
                continue;
            }
            let packet = self.waiting.pop();
            if admission == Admission::Pass {
                append_client_text(&mut self.frames, &packet);
            }
        }
    }

    /// Counts what was written.
    fn record_written(&mut self, written: &[u8]) {
        self.link.written(self.written.scan(written));
    }
}

impl<S: AsyncRead + Unpin> EngineStream<S> {
    /// Reads more bytes of the client. Reads none while too many packets wait, or after the end,
    /// but notices if the connection is killed.
    fn poll_client(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut bytes = [0; READ_BYTES];
        let takes_none = self.waiting.is_full() || self.ending.is_some();
        let space = if takes_none { 0 } else { READ_BYTES };
        let mut buf = ReadBuf::new(&mut bytes[..space]);
        match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf)) {
            // The client has gone, as at the end of the stream.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            result => result?,
        }
        if space == 0 {
            return Poll::Pending;
        }
        let read = buf.filled();
        if read.is_empty() {
            self.ending = Some(Ending::new(self.ending_timeout));
        }
        self.link.read(read.len());
        self.reader.feed(read);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> EngineStream<S> {
    /// Writes a packet to the client, before those of the engine.
    pub(super) async fn write_packet(&mut self, packet: &str) -> io::Result<()> {
        let frame = server_text(packet);
        self.stream.write_all(&frame).await?;
        self.stream.flush().await?;
        self.record_written(&frame);
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for EngineStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            self.make_frames(cx);
            if self.take_frames(buf) || self.poll_end(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_client(cx))?;
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for EngineStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.unwanted > 0 {
            let dropped = self.unwanted.min(buf.len());
            self.unwanted -= dropped;
            return Poll::Ready(Ok(dropped));
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.record_written(&buf[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
