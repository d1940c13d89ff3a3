//! The wrapped stream.
//!
//! At the edges: if the peer takes nothing, reading pauses some way behind writing, and the write
//! fails after the timeout. If no request comes in time, reading returns the end of the stream.

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
    Connection, read_pause::ReadPause, request_timer::RequestTimer, write_stall::WriteStall,
};

/// A stream that its [`Connection`] watches.
#[derive(Debug)]
pub(crate) struct GuardedIo<S> {
    stream: S,
    connection: OpenConnection,
    read_pause: ReadPause,
    request_timer: RequestTimer,
    write_stall: WriteStall,
    /// Released when the stream is dropped, however the connection ends.
    permit: OwnedSemaphorePermit,
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
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            stream,
            connection: OpenConnection(connection),
            read_pause: ReadPause::default(),
            request_timer: RequestTimer::default(),
            write_stall: WriteStall::new(write_stall),
            permit,
        }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection.0
    }

    /// Returns the stream without its guard, for a transport that keeps the rules of the guard
    /// itself. The permit is released when it is dropped.
    pub(crate) fn into_stream(self) -> (S, OwnedSemaphorePermit) {
        (self.stream, self.permit)
    }
}

/// The connection of a stream. Records its end.
#[derive(Debug)]
struct OpenConnection(Connection);

impl std::ops::Deref for OpenConnection {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.closed();
    }
}

impl<S> GuardedIo<S> {
    /// Gives up the peer if a read or a write timed out. The kernel, too, reports such timeouts.
    fn stall_on_timeout<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && error.kind() == io::ErrorKind::TimedOut
        {
            self.connection.stalled();
        }
        result
    }

    /// Ready once the time for the next request has passed.
    fn poll_request_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.connection.request_deadline();
        self.request_timer.poll(deadline, cx)
    }

    fn record_read(&mut self, read: &[u8]) {
        self.connection.read(read);
        self.read_pause.add_read(read.len());
    }

    /// Records that bytes were written.
    fn record_write(&mut self) {
        if self.read_pause.unblock_write() {
            self.connection.wake_reader();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for GuardedIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Registered before the check: a write between it and the return would otherwise wake
        // nothing.
        self.connection.register_reader(cx.waker());
        if self.read_pause.is_paused() {
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let Poll::Ready(result) = Pin::new(&mut self.stream).poll_read(cx, buf) else {
            // Reading nothing means the end of the stream.
            return self.poll_request_deadline(cx).map(Ok);
        };
        self.stall_on_timeout(result)?;
        self.record_read(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for GuardedIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Poll::Ready(result) = Pin::new(&mut self.stream).poll_write(cx, buf) else {
            self.read_pause.block_write();
            ready!(self.write_stall.poll_blocked(cx));
            let timed_out = Err(io::ErrorKind::TimedOut.into());
            return Poll::Ready(self.stall_on_timeout(timed_out));
        };
        self.write_stall.clear();
        let written = self.stall_on_timeout(result)?;
        self.record_write();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        if self.connection.flushed() {
            // HTTP may have read before this, and not read again until it is woken.
            let _ = self.poll_request_deadline(cx);
        }
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
    async fn reading_pauses_while_the_client_does_not_read_and_resumes_with_it() {
        let (ours, mut theirs) = duplex(1_024);
        let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let connection = Connection::new(([127, 0, 0, 1], 1).into());
        let no_timeout = Duration::MAX;
        let io = GuardedIo::new(ours, connection, no_timeout, permit);
        let (mut reading, mut writing) = tokio::io::split(io);
        let mut buffer = [0; 1_024];
        // The answer is larger than the buffer between the two ends.
        let mut answering = Box::pin(writing.write_all(&[0; 2_048]));
        assert!(futures_util::poll!(&mut answering).is_pending());
        let mut received = 0;
        let timeout = Duration::from_secs(1);
        while let Ok(read) = tokio::time::timeout(timeout, async {
            theirs.write_all(&[0; 512]).await.unwrap();
            reading.read(&mut buffer).await.unwrap()
        })
        .await
        {
            received += read;
        }
        assert_eq!(received, 256 * 1024);
        let mut answer = [0; 2_048];
        let (answered, got) = tokio::join!(answering, theirs.read_exact(&mut answer));
        assert!(answered.is_ok() && got.is_ok());
        assert!(reading.read(&mut buffer).await.unwrap() > 0);
    }
}
