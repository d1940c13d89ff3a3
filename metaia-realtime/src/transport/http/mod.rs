//! The HTTP/1 server: a listener with its limits, deadlines for requests, each connection wrapped
//! by [`guard`](super::guard).

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

/// The head of a request is not longer than this, in bytes: else 431. Tokens are the longest part
/// of it, at most 4 KiB.
const LONGEST_HEADER: usize = 64 * 1024;

/// The connections of one listener, and how they end.
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
            deadlines: Deadlines::of(limits),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }
    }

    /// Accepts connections and serves `app` on each, for as long as the future is polled.
    pub(crate) async fn serve(&self, app: &Router) {
        loop {
            let io = self.entrance.accept().await;
            let stopping = self.stopping.clone();
            self.tasks
                .spawn(serve_connection(io, app.clone(), self.deadlines, stopping));
        }
    }

    /// Closes the listener and waits until the requests that are under way are answered, or
    /// `timeout` is over.
    pub(crate) async fn finish(self, timeout: Duration) {
        drop(self.entrance);
        self.stopping.cancel();
        self.tasks.close();
        if tokio::time::timeout(timeout, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                connections = self.tasks.len(),
                "connections were still open at the end"
            );
        }
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
        Self {
            head: limits.request_head,
            body: limits.request_body,
        }
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
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(deadlines.head)
        .max_buf_size(LONGEST_HEADER);
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
