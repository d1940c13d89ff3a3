//! The HTTP/1 server: a listener with limits and deadlines for requests. [`guard`](super::guard)
//! wraps each connection.

mod accept;
mod exchange;
mod listeners;
mod rejections;
mod surplus;
#[cfg(test)]
mod tests;

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use http::{HeaderValue, Request, Response};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

use crate::{
    Limits,
    transport::{
        deadline::Deadline,
        guard::{Connection, GuardedIo, RequestTimeouts},
    },
};
use accept::guard;
use exchange::{AnswerBody, Exchange, announcement};
use rejections::Rejections;
use surplus::{FirstBytes, HEALTH_CHECK_TIMEOUT, HealthChecks, Surplus};

pub(crate) use accept::Entrance;

/// The most bytes that the head of a request may have; a longer one is answered 431. Tokens are the
/// longest part of it, at most 4 KiB.
const MAX_REQUEST_HEAD_BYTES: usize = 64 * 1024;

/// The connections of one listener, which accepts, serves and finally closes them.
#[derive(Debug)]
pub(crate) struct Connections {
    entrance: Entrance,
    health_checks: HealthChecks,
    terms: Terms,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

impl Connections {
    /// Returns the connections of an entrance. Requests for `health_checks` are answered beyond its
    /// limit, too.
    pub(crate) fn new(entrance: Entrance, limits: &Limits, health_checks: Vec<String>) -> Self {
        Self {
            entrance,
            health_checks: HealthChecks::new(health_checks),
            terms: Terms::new(limits),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }
    }

    /// Accepts connections and serves `app` on each. Never returns; dropping the future stops
    /// accepting, and the connections remain.
    pub(crate) async fn serve(&self, app: &Router) {
        loop {
            match self.entrance.accept_any().await {
                Ok(io) => self.serve_one(io, app),
                Err(surplus) => self.turn_away(surplus, app),
            }
        }
    }

    fn serve_one(&self, io: GuardedIo<TcpStream>, app: &Router) {
        let idle = Arc::clone(self.entrance.idle());
        io.connection().watch_requests(self.terms.requests, idle);
        let stopping = self.stopping.clone();
        let terms = self.terms.clone();
        self.tasks
            .spawn(serve_connection(io, app.clone(), terms, stopping));
    }

    /// Rejects a connection beyond the limit, unless it is a health check.
    fn turn_away(&self, surplus: Surplus, app: &Router) {
        let answering = self.answering(app);
        let checks = self.health_checks.clone();
        match checks.look_now(surplus) {
            // Closed here: tasks that have not run yet would hold any number of connections.
            Err(_) | Ok((_, Some(FirstBytes::Nothing))) => answering.rejections.count(),
            Ok((surplus, Some(FirstBytes::OtherRequest))) => answering.rejections.reject(surplus),
            Ok((surplus, Some(first))) => {
                self.tasks.spawn(answering.answer(surplus, first));
            }
            Ok((surplus, None)) => {
                let Some(turn) = checks.wait() else {
                    return answering.rejections.count();
                };
                self.tasks.spawn(async move {
                    let first = checks.wait_for(&surplus.stream, turn).await;
                    answering.answer(surplus, first).await;
                });
            }
        }
    }

    fn answering(&self, app: &Router) -> AnsweringBeyond {
        AnsweringBeyond {
            rejections: self.entrance.rejections().clone(),
            write_stall: self.entrance.write_stall(),
            terms: self.terms.for_one_request(),
            stopping: self.stopping.clone(),
            app: app.clone(),
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

/// The answer to a connection beyond the limit. It has no part of the entrance that listens: once
/// that is dropped, the port is free.
#[derive(Debug)]
struct AnsweringBeyond {
    rejections: Rejections,
    write_stall: Duration,
    terms: Terms,
    stopping: CancellationToken,
    app: Router,
}

impl AnsweringBeyond {
    async fn answer(self, surplus: Surplus, first: FirstBytes) {
        match first {
            FirstBytes::HealthCheck(permit) => {
                let io = guard(surplus, self.write_stall, permit);
                let serving = serve_connection(io, self.app, self.terms, self.stopping);
                // A peer that takes longer is disconnected.
                let _ = tokio::time::timeout(HEALTH_CHECK_TIMEOUT, serving).await;
            }
            FirstBytes::OtherRequest => self.rejections.reject(surplus),
            FirstBytes::Nothing => self.rejections.count(),
        }
    }
}

/// The settings with which connections are served.
#[derive(Debug, Clone)]
struct Terms {
    requests: RequestTimeouts,
    /// From the beginning of a request to the end of its body.
    body: Duration,
    /// The value of `Keep-Alive`.
    announcement: Option<HeaderValue>,
    keeps_alive: bool,
}

impl Terms {
    fn new(limits: &Limits) -> Self {
        Self {
            requests: RequestTimeouts {
                head: limits.request_head,
                keep_alive: limits.keep_alive,
            },
            body: limits.request_body,
            announcement: announcement(limits.keep_alive),
            keeps_alive: true,
        }
    }

    /// Returns these settings for a connection that ends after one request.
    fn for_one_request(&self) -> Self {
        Self {
            announcement: None,
            keeps_alive: false,
            ..self.clone()
        }
    }
}

/// Serves one connection until it ends. Once the server stops, the connection ends after its
/// pending request.
async fn serve_connection<S>(
    io: GuardedIo<S>,
    app: Router,
    terms: Terms,
    stopping: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = io.connection().clone();
    let stopped = stopping.clone();
    let service = service_fn(move |request| {
        let exchange =
            Exchange::begin(&connection, &request, terms.announcement.as_ref(), &stopped);
        answer(&connection, &app, terms.body, exchange, request)
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    // The guard has a deadline for the head of a request. The one of HTTP also runs while a
    // connection is idle.
    builder
        .header_read_timeout(None)
        .keep_alive(terms.keeps_alive)
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

/// Answers one request.
fn answer(
    connection: &Connection,
    app: &Router,
    body_timeout: Duration,
    exchange: Exchange,
    mut request: Request<hyper::body::Incoming>,
) -> impl Future<Output = Result<Response<AnswerBody<Body>>, Infallible>> + Send + use<> {
    let extensions = request.extensions_mut();
    extensions.insert(axum::extract::ConnectInfo(connection.peer()));
    extensions.insert(connection.clone());
    let request = request.map(|body| Body::new(Deadline::new(body, body_timeout)));
    let responding = app.clone().oneshot(request);
    async move { responding.await.map(|response| exchange.answer(response)) }
}

fn log_end(ended: Result<(), hyper::Error>) {
    if let Err(error) = ended {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "a connection ended"
        );
    }
}
