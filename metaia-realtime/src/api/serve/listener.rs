//! A listener for [`axum::serve`](fn@axum::serve) whose connections are wrapped by `GuardedIo`.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Once,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener, TapIo},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

use crate::{
    Realtime,
    transport::{
        guard::{GuardedIo, PeerAddr},
        http::Entrance,
    },
};

/// A listener for [`axum::serve`](fn@axum::serve), for servers that keep their own loop.
///
/// Four things that [`serve`](fn@crate::serve) does are missing:
///
/// - a deadline for the head of a request;
/// - the end of idle connections;
/// - a deadline for the body of a request that is not for Socket.IO;
/// - the drain. Call [`Realtime::drain`] when the server is to stop, and let axum's graceful
///   shutdown follow it: axum does not wait for WebSockets.
///
/// The connect info must be [`PeerAddr`]: by it the transport finds the connection of a request.
/// Without it the guard could do nothing, so that the listener refuses to serve: every request is
/// answered 500 with a text that names the cure, and the first one is logged as an error.
///
/// Handlers inside the [layer](Realtime::layer), which are the routes that the router had when the
/// layer was added, may extract `ConnectInfo<SocketAddr>`, as with [`serve`](fn@crate::serve). All
/// handlers may extract `ConnectInfo<PeerAddr>`.
#[derive(Debug)]
pub struct GuardedListener {
    entrance: Entrance,
    /// Logs once that connections are refused.
    refusal_log: Arc<Once>,
}

/// The answer to requests if the server was started without [`PeerAddr`].
const NO_PEER_ADDR: &str = "HTTP/1.1 500 Internal Server Error\r\n\
    content-type: text/plain\r\nconnection: close\r\n\r\n\
    This server cannot serve with its GuardedListener: start it with \
    `app.into_make_service_with_connect_info::<PeerAddr>()` instead of `app`.\n";

impl GuardedListener {
    /// Wraps each connection of `listener`, within the limits of `realtime`.
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use axum::Router;
    /// use metaia_realtime::{JwtAuthenticator, Realtime, serve::{GuardedListener, PeerAddr}};
    /// use tokio::net::TcpListener;
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// let listener = GuardedListener::new(TcpListener::bind("127.0.0.1:5000").await?, &realtime);
    /// let app = Router::new().layer(realtime.layer());
    /// let app = app.into_make_service_with_connect_info::<PeerAddr>();
    /// let drained = async move {
    ///     tokio::signal::ctrl_c().await.unwrap_or_default();
    ///     realtime.drain(Duration::from_secs(9)).await;
    /// };
    /// axum::serve(listener, app).with_graceful_shutdown(drained).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn new(listener: TcpListener, realtime: &Realtime) -> Self {
        let node = realtime.node();
        let counters = Arc::clone(node.counters());
        Self {
            entrance: Entrance::new(listener, node.limits(), counters),
            refusal_log: Arc::new(Once::new()),
        }
    }
}

impl Listener for GuardedListener {
    type Io = GuardedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (GuardedStream, SocketAddr) {
        let io = self.entrance.accept().await;
        let peer = io.connection().peer();
        let stream = GuardedStream {
            io,
            has_given_peer: AtomicBool::new(false),
            refusal_log: Arc::clone(&self.refusal_log),
        };
        (stream, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.entrance.local_addr()
    }
}

/// A connection of a [`GuardedListener`].
#[derive(Debug)]
pub struct GuardedStream {
    io: GuardedIo<TcpStream>,
    /// The server has asked for the [`PeerAddr`].
    has_given_peer: AtomicBool,
    refusal_log: Arc<Once>,
}

impl GuardedStream {
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

impl Connected<IncomingStream<'_, GuardedListener>> for PeerAddr {
    fn connect_info(stream: IncomingStream<'_, GuardedListener>) -> Self {
        stream.io().peer_addr()
    }
}

impl<F> Connected<IncomingStream<'_, TapIo<GuardedListener, F>>> for PeerAddr
where
    F: FnMut(&mut GuardedStream) + Send + 'static,
{
    fn connect_info(stream: IncomingStream<'_, TapIo<GuardedListener, F>>) -> Self {
        stream.io().peer_addr()
    }
}
