//! The wrapped stream: what passes is looked at on its way.
//!
//! At the edges: killed, the next read and write fail. Where the peer takes nothing, reading stops
//! some way behind writing, and the write fails in the end.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::OwnedSemaphorePermit,
};

use super::{
    Connection,
    hold::Hold,
    scan::{FrameScanner, PongScanner},
    stall::Stall,
};

/// A stream that its [`Connection`] can kill, and whose packets are counted once it is a WebSocket.
#[derive(Debug)]
pub(crate) struct GuardedIo<S> {
    stream: S,
    connection: Connection,
    frames: FrameScanner,
    pongs: PongScanner,
    hold: Hold,
    stall: Stall,
    /// Held for as long as the connection is open, by whatever way it is let go of.
    _place: OwnedSemaphorePermit,
}

#[cfg_attr(
    not(feature = "axum"),
    allow(dead_code, reason = "made by serve and GuardedListener alone")
)]
impl<S> GuardedIo<S> {
    pub(crate) fn new(
        stream: S,
        connection: Connection,
        write_stall: Duration,
        place: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            stream,
            connection,
            frames: FrameScanner::default(),
            pongs: PongScanner::default(),
            hold: Hold::default(),
            stall: Stall::new(write_stall),
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
            Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "closed by the server",
            ))
        } else {
            Ok(())
        }
    }

    /// Looks at what came of a read or a write. The kernel, too, gives up peers in the end.
    fn seen<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if result
            .as_ref()
            .is_err_and(|error| error.kind() == io::ErrorKind::TimedOut)
        {
            self.connection.stalled();
        }
        result
    }

    fn note_read(&mut self, read: &[u8]) {
        let Self {
            connection,
            pongs,
            hold,
            ..
        } = self;
        hold.has_read(read.len());
        if let Some(link) = connection.websocket() {
            if pongs.scan(read) {
                link.pong();
            }
            link.read(read.len());
        }
    }

    fn note_written(&mut self, written: &[u8]) {
        let Self {
            connection,
            frames,
            hold,
            ..
        } = self;
        if hold.has_written() {
            connection.0.reader.wake();
        }
        if let Some(link) = connection.websocket() {
            link.written(frames.scan(written));
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
        if self.hold.is_shut() {
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, buf));
        self.seen(read)?;
        self.note_read(&buf.filled()[before..]);
        Poll::Ready(self.check())
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for GuardedIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.connection.0.writer.register(cx.waker());
        self.check()?;
        let Poll::Ready(written) = Pin::new(&mut self.stream).poll_write(cx, buf) else {
            self.hold.writing_is_blocked();
            ready!(self.stall.poll(cx));
            return Poll::Ready(self.seen(Err(io::ErrorKind::TimedOut.into())));
        };
        self.stall.ends();
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
        sync::Semaphore,
    };

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_not_read_much_further_and_then_on() {
        let (ours, mut theirs) = duplex(1_024);
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let (connection, for_ever) = (Connection::new(([127, 0, 0, 1], 1).into()), Duration::MAX);
        let io = GuardedIo::new(ours, connection, for_ever, place);
        let (mut reading, mut writing) = tokio::io::split(io);
        let mut buffer = [0; 1_024];
        // The answer does not fit into what is between them.
        let mut answering = Box::pin(writing.write_all(&[0; 2_048]));
        assert!(futures_util::poll!(&mut answering).is_pending());
        let mut heard = 0;
        let pause = Duration::from_secs(1);
        while let Ok(read) = tokio::time::timeout(pause, async {
            theirs.write_all(&[0; 512]).await.unwrap();
            reading.read(&mut buffer).await.unwrap()
        })
        .await
        {
            heard += read;
        }
        assert_eq!(heard, 256 * 1024);
        let mut answer = [0; 2_048];
        let (answered, got) = tokio::join!(answering, theirs.read_exact(&mut answer));
        assert!(answered.is_ok() && got.is_ok());
        assert!(reading.read(&mut buffer).await.unwrap() > 0);
    }
}
