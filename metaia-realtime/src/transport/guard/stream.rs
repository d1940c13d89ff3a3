//! A connection that refuses to serve until the server has asked for its [`PeerAddr`].

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Once,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::{GuardedIo, PeerAddr};

/// The answer to requests if the server was started without [`PeerAddr`].
const NO_PEER_ADDR: &str = "HTTP/1.1 500 Internal Server Error\r\n\
    content-type: text/plain\r\nconnection: close\r\n\r\n\
    This server cannot serve with its GuardedListener: start it with \
    `app.into_make_service_with_connect_info::<PeerAddr>()` instead of `app`.\n";

/// A connection of a [`GuardedListener`](crate::serve::GuardedListener).
#[derive(Debug)]
pub struct GuardedStream {
    io: GuardedIo<TcpStream>,
    /// The server has asked for the [`PeerAddr`].
    has_given_peer: AtomicBool,
    refusal_log: Arc<Once>,
}

impl GuardedStream {
    /// Wraps a connection. The first connection that is refused is logged by `refusal_log`.
    pub(crate) fn new(io: GuardedIo<TcpStream>, refusal_log: Arc<Once>) -> Self {
        Self {
            io,
            has_given_peer: AtomicBool::new(false),
            refusal_log,
        }
    }

    /// Returns what is wrapped.
    pub(crate) fn into_io(self) -> GuardedIo<TcpStream> {
        self.io
    }

    /// Returns the connect info of the connection. A server of your own calls this before it reads
    /// from the connection, and puts `ConnectInfo` of it into the extensions of each request.
    ///
    /// ```no_run
    /// # async fn run(mut listener: metaia_realtime::serve::GuardedListener) {
    /// use axum::{extract::ConnectInfo, serve::Listener as _};
    ///
    /// let (stream, _) = listener.accept().await;
    /// let peer = ConnectInfo(stream.peer_addr());
    /// # }
    /// ```
    #[must_use]
    pub fn peer_addr(&self) -> PeerAddr {
        self.has_given_peer.store(true, Ordering::Relaxed);
        PeerAddr(self.io.connection().clone())
    }

    /// Refuses the first request: reads it, answers it, and ends the connection.
    fn poll_refuse(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // Closing a connection with unread bytes makes the kernel reset it, and the client would
        // lose the answer.
        let unread = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        buf.set_filled(unread);
        self.refusal_log.call_once(|| {
            tracing::error!(
                "GuardedListener refuses all requests: start the server with \
                 app.into_make_service_with_connect_info::<PeerAddr>()"
            );
        });
        // One write is enough: nothing was written to the connection before.
        ready!(Pin::new(&mut self.io).poll_write(cx, NO_PEER_ADDR.as_bytes()))?;
        ready!(Pin::new(&mut self.io).poll_shutdown(cx))?;
        Poll::Ready(Err(io::Error::other("the connect info is not PeerAddr")))
    }
}

impl AsyncRead for GuardedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.has_given_peer.load(Ordering::Relaxed) {
            return self.poll_refuse(cx, buf);
        }
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for GuardedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
