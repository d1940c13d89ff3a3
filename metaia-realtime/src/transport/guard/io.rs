//! The wrapped stream.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::OwnedSemaphorePermit,
};

use super::{
    Connection,
    scan::{FrameScanner, PongScanner},
};

/// A stream that its [`Connection`] can kill, and whose outgoing packets are counted once it is a WebSocket.
#[derive(Debug)]
pub(crate) struct GuardedIo<S> {
    stream: S,
    connection: Connection,
    frames: FrameScanner,
    pongs: PongScanner,
    /// Held for as long as the connection is open, by whatever way it is let go of.
    _place: OwnedSemaphorePermit,
}

#[cfg_attr(not(feature = "axum"), allow(dead_code, reason = "made by serve and GuardedListener alone"))]
impl<S> GuardedIo<S> {
    pub(crate) fn new(stream: S, connection: Connection, place: OwnedSemaphorePermit) -> Self {
        Self {
            stream,
            connection,
            frames: FrameScanner::default(),
            pongs: PongScanner::default(),
            _place: place,
        }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl<S> GuardedIo<S> {
    fn check(&self) -> io::Result<()> {
        if self.connection.is_killed() {
            Err(io::Error::new(io::ErrorKind::ConnectionAborted, "closed by the server"))
        } else {
            Ok(())
        }
    }

    /// Looks at what came of a read or a write.
    fn seen<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            self.connection.stalled();
        }
        result
    }

    /// Answers whether the client may have sent so much.
    fn note_read(&mut self, read: &[u8]) -> bool {
        let Self { connection, pongs, .. } = self;
        let Some(link) = connection.websocket() else { return true };
        if pongs.scan(read) {
            link.add_pong();
        }
        link.add_read(read.len())
    }

    fn note_written(&mut self, written: &[u8]) {
        let Self { connection, frames, .. } = self;
        if let Some(link) = connection.websocket() {
            link.add_written(frames.scan(written));
        }
    }
}

impl<S> Drop for GuardedIo<S> {
    fn drop(&mut self) {
        self.connection.gone();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for GuardedIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.connection.0.reader.register(cx.waker());
        self.check()?;
        let before = buf.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buf));
        self.seen(read)?;
        if !self.note_read(&buf.filled()[before..]) {
            self.connection.kill();
        }
        Poll::Ready(self.check())
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for GuardedIo<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.connection.0.writer.register(cx.waker());
        self.check()?;
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf));
        let written = self.seen(written)?;
        self.note_written(&buf[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.connection.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
