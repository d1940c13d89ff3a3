//! The HTTP/1 server: a listener with limits and deadlines for requests. [`guard`](super::guard)
//! wraps each connection.

mod accept;

use std::{pin::pin, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::TcpStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use crate::{
    Limits,
    transport::{deadline::Deadline, guard::GuardedIo},
};

pub(crate) use accept::Entrance;

/// The most bytes that the head of a request may have; a longer one is answered 431. Tokens are the
/// longest part of it, at most 4 KiB.
const MAX_REQUEST_HEAD_BYTES: usize = 64 * 1024;

/// The connections of one listener, which accepts, serves and finally closes them.
#[derive(Debug)]
pub(crate) struct Connections {
    entrance: Entrance,
    deadlines: Deadlines,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

impl Connections {
    pub(crate) fn new(entrance: Entrance, limits: &Limits) -> Self {
        Self {
            entrance,
            deadlines: Deadlines::new(limits),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }
    }

    /// Accepts connections and serves `app` on each. Never returns; dropping the future stops
    /// accepting, and the connections remain.
    pub(crate) async fn serve(&self, app: &Router) {
        loop {
            let io = self.entrance.accept().await;
            let stopping = self.stopping.clone();
            self.tasks
                .spawn(serve_connection(io, app.clone(), self.deadlines, stopping));
        }
    }

    /// Closes the listener and waits until the pending requests are answered, at most for
    /// `timeout`.
    pub(crate) async fn finish(self, timeout: Duration) {
        drop(self.entrance);
        self.stopping.cancel();
        self.tasks.close();
        let finished = tokio::time::timeout(timeout, self.tasks.wait()).await;
        if finished.is_err() {
            tracing::warn!(
                connections = self.tasks.len(),
                "connections were still open at the end"
            );
        }
    }
}

/// The time from the beginning of a request within which its parts must have come.
#[derive(Debug, Clone, Copy)]
struct Deadlines {
    head: Duration,
    body: Duration,
}

impl Deadlines {
    const fn new(limits: &Limits) -> Self {
        Self {
            head: limits.request_head,
            body: limits.request_body,
        }
    }
}

/// Serves one connection until it ends. Once the server stops, the connection ends after its
/// pending request.
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
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(deadlines.head)
        .max_buf_size(MAX_REQUEST_HEAD_BYTES);
    let mut serving = pin!(
        builder
            .serve_connection(TokioIo::new(io), service)
            .with_upgrades()
    );
    tokio::select! {
        ended = &mut serving => return log_end(ended),
        () = stopping.cancelled() => {}
    }
    serving.as_mut().graceful_shutdown();
    log_end(serving.await);
}

fn log_end(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "a connection ended"
        );
    }
}
