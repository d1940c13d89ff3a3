//! Serving an axum router and Socket.IO on one listener: HTTP/1 with deadlines, each connection wrapped by ours.

mod accept;
mod listener;

use std::{future::Future, io, pin::pin, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use crate::{
    Limits, Realtime,
    transport::{deadline::Deadline, guard::GuardedIo},
};
use accept::Entrance;

pub use listener::{GuardedListener, GuardedStream, Peer};

/// The head of a request is not longer than this, in bytes: else 431. Tokens are the longest part of it, at most 4 KiB.
const LONGEST_HEADER: usize = 64 * 1024;

/// How long a node may take to empty itself, and its last answers to be written.
const DRAIN: Duration = Duration::from_secs(10);
const LAST_ANSWERS: Duration = Duration::from_secs(3);

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
    let entrance = Entrance::new(listener, &realtime);
    let (tasks, stopping) = (TaskTracker::new(), CancellationToken::new());
    {
        let mut accepting = pin!(accept_all(&entrance, &app, realtime.limits(), &tasks, &stopping));
        tokio::select! { biased; () = shutdown => {}, () = &mut accepting => {} }
        // Clients that are told to come back must find the listener answering 503 until they have all gone.
        tokio::select! { () = realtime.drain(DRAIN) => {}, () = accepting => {} }
    }
    drop(entrance);
    stopping.cancel();
    tasks.close();
    if tokio::time::timeout(LAST_ANSWERS, tasks.wait()).await.is_err() {
        tracing::warn!(connections = tasks.len(), "connections were still open at the end");
    }
    Ok(())
}

/// Takes connections for as long as it is polled.
async fn accept_all(
    entrance: &Entrance,
    app: &Router,
    limits: &Limits,
    tasks: &TaskTracker,
    stopping: &CancellationToken,
) {
    loop {
        let io = entrance.accept().await;
        tasks.spawn(serve_connection(io, app.clone(), Deadlines::of(limits), stopping.clone()));
    }
}

/// By when requests must be there.
#[derive(Debug, Clone, Copy)]
struct Deadlines {
    head: Duration,
    body: Duration,
}

impl Deadlines {
    const fn of(limits: &Limits) -> Self {
        Self { head: limits.request_head, body: limits.request_body }
    }
}

/// One connection, to its end or to that of the server.
async fn serve_connection(
    io: GuardedIo<TcpStream>,
    app: Router,
    deadlines: Deadlines,
    stopping: CancellationToken,
) {
    let connection = io.connection().clone();
    let service = TowerToHyperService::new(app.map_request(
        move |mut request: http::Request<hyper::body::Incoming>| {
            let extensions = request.extensions_mut();
            extensions.insert(axum::extract::ConnectInfo(connection.peer()));
            extensions.insert(connection.clone());
            request.map(|body| axum::body::Body::new(Deadline::new(body, deadlines.body)))
        },
    ));
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(deadlines.head).max_buf_size(LONGEST_HEADER);
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
