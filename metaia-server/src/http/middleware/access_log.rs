//! One line per request, at `debug`: never the query, which may carry what is secret.

use axum::{extract::Request, middleware::Next, response::Response};
use tokio::time::Instant;

use super::request_id;

pub(super) async fn line(request: Request, next: Next) -> Response {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return next.run(request).await;
    }
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let begun = Instant::now();
    let response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    tracing::debug!(request_id = request_id::current(), %method, path, status, ?took, "request");
    response
}
