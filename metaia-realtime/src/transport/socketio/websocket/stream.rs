//! The stream that the engine reads and writes as the WebSocket of a client.
//!
//! What comes in is read frame by frame, rewritten
//! ([`inbound_packet`](super::super::inbound_packet)), and framed anew for the engine. What goes
//! out passes as it is, and is counted.
//!
//! At the edges: packets that must wait ([`membership`](super::super::membership)) wait here, at
//! most as many bytes as one message may have; after that nothing more is read. A frame that a
//! client must not send ends the stream with an error.

use std::{
    collections::VecDeque,
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frame::{FrameReader, Message, append_client_control, append_client_text, server_text};
use crate::transport::socketio::{
    inbound_packet::{InboundPacket, PacketKind},
    link::Link,
    membership::Admission,
    scan::FrameScanner,
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
    waiting: Waiting,
    written: FrameScanner,
    /// The number of bytes that the engine has yet to write and that the client has already got.
    unwanted: usize,
}

/// Packets that wait for an answer of the engine.
struct Waiting {
    packets: VecDeque<(PacketKind, String)>,
    bytes: usize,
    max_bytes: usize,
    /// Set while the first packet waits.
    settled: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<S> EngineStream<S> {
    /// Creates the stream of a session that begins as a WebSocket.
    pub(super) fn new(stream: S, link: Arc<Link>, max_bytes: usize) -> Self {
        Self::with_reader(stream, link, FrameReader::new(max_bytes), max_bytes)
    }

    /// Creates the stream of a session whose client has switched to this WebSocket. The engine is
    /// shown the upgrade, which the client has been through.
    pub(super) fn upgraded(
        stream: S,
        link: Arc<Link>,
        reader: FrameReader,
        max_bytes: usize,
    ) -> Self {
        let mut upgraded = Self::with_reader(stream, link, reader, max_bytes);
        append_client_text(&mut upgraded.frames, "2probe");
        append_client_text(&mut upgraded.frames, "5");
        upgraded.unwanted = server_text("3probe").len();
        upgraded
    }

    fn with_reader(stream: S, link: Arc<Link>, reader: FrameReader, max_bytes: usize) -> Self {
        Self {
            stream,
            link,
            reader,
            frames: Vec::new(),
            taken: 0,
            waiting: Waiting {
                packets: VecDeque::new(),
                bytes: 0,
                max_bytes,
                settled: None,
            },
            written: FrameScanner::default(),
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
    fn make_frames(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        self.pass_waiting(cx);
        while !self.waiting.is_full() {
            let message = self.reader.next().map_err(invalid)?;
            match message {
                None => return Ok(()),
                Some(Message::Binary) => {}
                Some(Message::Control(control, payload)) => {
                    append_client_control(&mut self.frames, control, &payload);
                }
                Some(Message::Text(text)) => self.take_packet(&text, cx),
            }
        }
        Ok(())
    }

    fn take_packet(&mut self, packet: &str, cx: &mut Context<'_>) {
        let Some(packet) = InboundPacket::read(packet) else {
            return;
        };
        if packet.kind == PacketKind::Pong {
            self.link.pong();
        }
        let passes_others = matches!(packet.kind, PacketKind::Pong | PacketKind::Other);
        if !passes_others && !self.waiting.packets.is_empty() {
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
        while let Some((kind, _)) = self.waiting.packets.front() {
            let admission = self.link.membership.admit(*kind);
            if admission == Admission::Wait {
                if self.waiting.poll_settled(&self.link, cx).is_pending() {
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

impl Waiting {
    fn push(&mut self, packet: InboundPacket<'_>) {
        self.bytes += packet.text.len();
        self.packets
            .push_back((packet.kind, packet.text.into_owned()));
    }

    fn pop(&mut self) -> String {
        let (_, packet) = self
            .packets
            .pop_front()
            .unwrap_or((PacketKind::Other, String::new()));
        self.bytes -= packet.len();
        packet
    }

    fn is_full(&self) -> bool {
        self.bytes >= self.max_bytes
    }

    fn poll_settled(&mut self, link: &Arc<Link>, cx: &mut Context<'_>) -> Poll<()> {
        let settled = self.settled.get_or_insert_with(|| {
            let link = Arc::clone(link);
            Box::pin(async move { link.membership.settled().await })
        });
        ready!(settled.as_mut().poll(cx));
        self.settled = None;
        Poll::Ready(())
    }
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl<S: AsyncRead + Unpin> EngineStream<S> {
    /// Reads more bytes of the client. Reads none, but notices the end of the connection, while
    /// too many packets wait.
    fn poll_client(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut bytes = [0; READ_BYTES];
        let space = if self.waiting.is_full() {
            0
        } else {
            READ_BYTES
        };
        let mut buf = ReadBuf::new(&mut bytes[..space]);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf))?;
        if space == 0 {
            return Poll::Pending;
        }
        let read = buf.filled();
        self.link.read(read.len());
        self.reader.feed(read);
        Poll::Ready(Ok(read.len()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for EngineStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            self.make_frames(cx)?;
            if self.take_frames(buf) {
                return Poll::Ready(Ok(()));
            }
            if ready!(self.poll_client(cx))? == 0 {
                return Poll::Ready(Ok(()));
            }
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
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;
    use crate::Limits;

    const MAX_BYTES: usize = 1_000;

    /// Both ends of a stream: the engine's, and the client's.
    fn pair(link: &Arc<Link>) -> (EngineStream<DuplexStream>, DuplexStream) {
        let (ours, theirs) = duplex(64 * 1024);
        (EngineStream::new(ours, Arc::clone(link), MAX_BYTES), theirs)
    }

    fn link() -> Arc<Link> {
        Arc::new(Link::new(&Limits::default()))
    }

    async fn send(client: &mut DuplexStream, packets: &[&str]) {
        let mut frames = Vec::new();
        for packet in packets {
            append_client_text(&mut frames, packet);
        }
        client.write_all(&frames).await.unwrap();
    }

    /// Returns the packets that the engine can read now.
    async fn read(stream: &mut EngineStream<DuplexStream>) -> Vec<String> {
        let mut reader = FrameReader::new(MAX_BYTES);
        let mut bytes = [0; 7];
        let mut packets = Vec::new();
        while let Some(Ok(count)) = futures_util::FutureExt::now_or_never(stream.read(&mut bytes)) {
            reader.feed(&bytes[..count]);
            while let Some(Message::Text(packet)) = reader.next().unwrap() {
                packets.push(packet);
            }
        }
        packets
    }

    #[tokio::test]
    async fn events_behind_connect_wait_and_pongs_do_not() {
        let link = link();
        let (mut stream, mut client) = pair(&link);
        send(
            &mut client,
            &["40", r#"42["a"]"#, "3", r#"42["\"b"]"#, "41", "40"],
        )
        .await;
        assert_eq!(read(&mut stream).await, ["40", "3"]);
        assert_eq!(link.progress().unwrap().pongs, 1);
        link.membership.join();
        let passed = [r#"42["a"]"#, r#"42["","\"b"]"#, "41"];
        assert_eq!(read(&mut stream).await, passed);
        link.membership.end();
        assert_eq!(read(&mut stream).await, ["40"]);
    }

    #[tokio::test]
    async fn no_more_is_read_while_too_much_waits() {
        let link = link();
        let (mut stream, mut client) = pair(&link);
        let event = format!(r#"42["{}"]"#, "x".repeat(600));
        send(&mut client, &["40", &event, &event, &event, &event]).await;
        assert_eq!(read(&mut stream).await, ["40"]);
        assert_eq!(stream.waiting.packets.len(), 2);
        link.membership.join();
        assert_eq!(read(&mut stream).await.len(), 4);
    }

    #[tokio::test]
    async fn the_engine_is_shown_an_upgrade_that_the_client_has_been_through() {
        let link = link();
        let (ours, mut client) = duplex(1_024);
        let mut reader = FrameReader::new(MAX_BYTES);
        let mut behind = Vec::new();
        append_client_text(&mut behind, "3");
        reader.feed(&behind);
        let mut stream = EngineStream::upgraded(ours, link, reader, MAX_BYTES);
        assert_eq!(read(&mut stream).await, ["2probe", "5", "3"]);
        stream.write_all(&server_text("3probe")).await.unwrap();
        stream.write_all(&server_text("2")).await.unwrap();
        let mut written = [0; 3];
        client.read_exact(&mut written).await.unwrap();
        assert_eq!(written.as_slice(), server_text("2"));
    }

    #[tokio::test]
    async fn what_is_written_is_counted() {
        let link = link();
        let (mut stream, _client) = pair(&link);
        for packet in [r#"42["a"]"#, "2", "431[]"] {
            stream.write_all(&server_text(packet)).await.unwrap();
        }
        let progress = link.progress().unwrap();
        assert_eq!((progress.written, progress.pinged), (2, 1));
    }

    #[tokio::test]
    async fn a_frame_that_is_not_allowed_ends_the_stream() {
        let (mut stream, mut client) = pair(&link());
        client.write_all(&server_text("unmasked")).await.unwrap();
        let error = stream.read(&mut [0; 9]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
