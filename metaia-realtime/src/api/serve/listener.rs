//! A listener for [`axum::serve`](fn@axum::serve) whose connections are wrapped by `GuardedIo`.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
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
/// The connect info must be [`PeerAddr`]: by it the transport finds the connection of a request. If
/// the server is started without it, no error tells you, and what is written to a client is not
/// observed: a disconnect leaves a WebSocket open, and its bytes are not bounded.
#[derive(Debug)]
pub struct GuardedListener(Entrance);

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
        Self(Entrance::new(
            listener,
            node.limits(),
            Arc::clone(node.counters()),
        ))
    }
}

impl Listener for GuardedListener {
    type Io = GuardedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (GuardedStream, SocketAddr) {
        let io = self.0.accept().await;
        let peer = io.connection().peer();
        (GuardedStream(io), peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection of a [`GuardedListener`].
#[derive(Debug)]
pub struct GuardedStream(GuardedIo<TcpStream>);

impl AsyncRead for GuardedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for GuardedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl Connected<IncomingStream<'_, GuardedListener>> for PeerAddr {
    fn connect_info(stream: IncomingStream<'_, GuardedListener>) -> Self {
        Self(stream.io().0.connection().clone())
    }
}
