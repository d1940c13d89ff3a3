//! One log line per request, at `debug`. It never has the query, which may carry a secret.

use axum::{extract::Request, middleware::Next, response::Response};
use tokio::time::Instant;

use super::request_id;

pub(super) async fn line(request: Request, next: Next) -> Response {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return next.run(request).await;
    }
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let start = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let took = start.elapsed();
    tracing::debug!(request_id = request_id::current(), %method, path, status, ?took, "request");
    response
}
