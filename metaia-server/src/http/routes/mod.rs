//! The REST routes. A handler reads the request, calls a service, and writes the reply.

mod connections;
mod documents;
mod notifications;
mod orders;
mod paging;
mod payments;
mod realtime;
mod refusal;
mod reply;
mod tailors;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    extract::FromRef,
    routing::{delete, get, post, put},
};

use crate::{auth::request_auth::RequestAuth, services::Services};

/// Returns every route of this module, with absolute paths.
pub(crate) fn router<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Services: FromRef<S>,
    Arc<RequestAuth>: FromRef<S>,
{
    Router::new()
        .route("/api/orders", post(orders::place).get(orders::list))
        .route("/api/orders/{id}", get(orders::read))
        .route("/api/orders/{id}/status", put(orders::set_status))
        .route("/api/orders/{id}/assign", put(orders::assign))
        .route(
            "/api/notifications",
            get(notifications::list).post(notifications::notify),
        )
        .route("/api/notifications/{id}/read", put(notifications::read))
        .route("/api/notifications/read-all", put(notifications::read_all))
        .route("/api/payments/orders/{orderId}", post(payments::open))
        .route("/api/payments/verify", post(payments::verify))
        .route("/api/payments/webhook", post(payments::webhook))
        .route("/api/tailors/me/status", put(tailors::set_status))
        .route("/api/realtime/emit", post(realtime::emit))
        .route("/api/realtime/sessions", get(connections::sessions))
        .route(
            "/api/realtime/sessions/{id}",
            delete(connections::disconnect),
        )
        .route("/api/realtime/rooms", get(connections::rooms))
        .route("/api/realtime/presence", get(connections::presence))
        .route("/api/realtime/stats", get(connections::stats))
}

/// The OpenAPI description of these routes.
#[derive(Debug, Clone, Copy, utoipa::OpenApi)]
#[openapi(paths(
    orders::place,
    orders::list,
    orders::read,
    orders::set_status,
    orders::assign,
    notifications::list,
    notifications::notify,
    notifications::read,
    notifications::read_all,
    payments::open,
    payments::verify,
    payments::webhook,
    tailors::set_status,
    realtime::emit,
    connections::sessions,
    connections::disconnect,
    connections::rooms,
    connections::presence,
    connections::stats,
))]
pub struct ApiDoc;
