//! Serving an axum router and Socket.IO on one listener: HTTP/1 with deadlines, each connection wrapped by ours.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use crate::{
    Realtime,
    transport::guard::{Connection, GuardedIo},
};

/// The head of a request must be here in this time.
const HEADER_DEADLINE: Duration = Duration::from_secs(10);
/// And not be longer than this, in bytes: else 431. Tokens are the longest part of it, at most 4 KiB.
const LONGEST_HEADER: usize = 64 * 1024;

/// How long a node may take to empty itself, and its last answers to be written.
const DRAIN: Duration = Duration::from_secs(10);
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// Accepting failed for want of something of the system's; it may be there again a little later.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// More than this is not put into the kernel's hands before the rest is sent, in bytes: else megabytes stand between
/// an event and its client.
#[cfg(target_os = "linux")]
const NOT_SENT: u32 = 16 * 1024;

/// Serves `app` and the Socket.IO clients of `realtime` on `listener`, until `shutdown` completes. Then the node is
/// [drained](Realtime::drain): new handshakes are answered 503, sessions are closed so that clients come back
/// elsewhere, and requests that are under way are answered.
///
/// # Errors
/// None at present: a connection that cannot be accepted is logged.
///
/// # Cancel safety
/// Dropping the future closes the listener; connections go on until their clients leave.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    realtime: Realtime,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let app = app.layer(realtime.layer());
    let (tasks, stopping) = (TaskTracker::new(), CancellationToken::new());
    {
        let mut accepting = pin!(accept_all(&listener, &app, &tasks, &stopping));
        tokio::select! { biased; () = shutdown => {}, () = &mut accepting => {} }
        // Clients that are told to come back must find the listener answering 503 until they have all gone.
        tokio::select! { () = realtime.drain(DRAIN) => {}, () = accepting => {} }
    }
    drop(listener);
    stopping.cancel();
    tasks.close();
    if tokio::time::timeout(LAST_ANSWERS, tasks.wait()).await.is_err() {
        tracing::warn!(connections = tasks.len(), "connections were still open at the end");
    }
    Ok(())
}

/// Takes connections for as long as it is polled.
async fn accept_all(listener: &TcpListener, app: &Router, tasks: &TaskTracker, stopping: &CancellationToken) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                tasks.spawn(serve_connection(wrap(stream, peer), app.clone(), stopping.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// One connection, to its end or to that of the server.
async fn serve_connection(io: GuardedIo<TcpStream>, app: Router, stopping: CancellationToken) {
    let connection = io.connection().clone();
    let service = TowerToHyperService::new(app.map_request(
        move |mut request: http::Request<hyper::body::Incoming>| {
            let extensions = request.extensions_mut();
            extensions.insert(axum::extract::ConnectInfo(connection.peer()));
            extensions.insert(connection.clone());
            request.map(axum::body::Body::new)
        },
    ));
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_DEADLINE).max_buf_size(LONGEST_HEADER);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(io), service).with_upgrades());
    tokio::select! {
        ended = &mut serving => return log_end(ended),
        () = stopping.cancelled() => {}
    }
    serving.as_mut().graceful_shutdown();
    log_end(serving.await);
}

fn log_end(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(error = &error as &dyn std::error::Error, "a connection ended");
    }
}

fn wrap(stream: TcpStream, peer: SocketAddr) -> GuardedIo<TcpStream> {
    if let Err(error) = tune(&stream) {
        tracing::debug!(%error, "a connection could not be tuned");
    }
    GuardedIo::new(stream, Connection::new(peer))
}

fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(NOT_SENT)?;
    Ok(())
}

/// A listener for [`axum::serve`](fn@axum::serve), for servers that keep their own loop. Serve with
/// `app.layer(realtime.layer()).into_make_service_with_connect_info::<Peer>()`.
#[derive(Debug)]
pub struct GuardedListener(TcpListener);

impl GuardedListener {
    /// Wraps each connection of `listener`.
    #[must_use]
    pub const fn new(listener: TcpListener) -> Self {
        Self(listener)
    }
}

impl Listener for GuardedListener {
    type Io = GuardedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (GuardedStream, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        (GuardedStream(wrap(stream, peer)), peer)
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
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Who is at the other end of a connection of a [`GuardedListener`]; by it the transport finds the connection.
#[derive(Debug, Clone)]
pub struct Peer(pub(crate) Connection);

impl Peer {
    /// The address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.peer()
    }
}

impl Connected<IncomingStream<'_, GuardedListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, GuardedListener>) -> Self {
        Self(stream.io().0.connection().clone())
    }
}
