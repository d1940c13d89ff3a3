//! A listener for [`axum::serve`](fn@axum::serve) whose connections are wrapped by `GuardedIo`.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Once},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener, TapIo},
};
use tokio::net::TcpListener;

use crate::{
    Realtime,
    transport::{
        guard::{GuardedStream, PeerAddr},
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
            entrance: Entrance::new(vec![listener], node.limits(), counters),
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
        (GuardedStream::new(io, Arc::clone(&self.refusal_log)), peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.entrance.local_addr()
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
