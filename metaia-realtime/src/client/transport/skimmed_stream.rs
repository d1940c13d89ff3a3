//! The connection below a WebSocket, with messages that are too large reduced while they are read.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frame_skimmer::FrameSkimmer;
use crate::client::packet::EnginePacket;

/// The most bytes that are read at once.
const CHUNK: usize = 4 * 1024;

#[derive(Debug)]
pub(super) struct SkimmedStream<S> {
    inner: S,
    skimmer: FrameSkimmer,
    /// Frames of which `read` bytes were returned.
    frames: Vec<u8>,
    read: usize,
}

impl<S> SkimmedStream<S> {
    /// Returns a stream that reduces messages of more than `max` bytes. `inner` is at the beginning
    /// of a frame.
    pub(super) fn new(inner: S, max: usize) -> Self {
        Self {
            inner,
            skimmer: FrameSkimmer::new(max),
            frames: Vec::new(),
            read: 0,
        }
    }

    /// Returns what the large message is about whose mark was read.
    pub(super) fn next_large(&mut self) -> Option<EnginePacket> {
        self.skimmer.next_large()
    }

    /// Copies frames to `buffer`. Returns false if there are none.
    fn copy_to(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let rest = &self.frames[self.read..];
        let length = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..length]);
        self.read += length;
        length > 0
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for SkimmedStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while buffer.remaining() > 0 && !this.copy_to(buffer) {
            let mut chunk = [0; CHUNK];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                break;
            }
            let read = this.skimmer.read(chunk.filled());
            read.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            this.frames = this.skimmer.take();
            this.read = 0;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for SkimmedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
