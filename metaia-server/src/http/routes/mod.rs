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
    routing::{MethodRouter, delete, get, post, put},
};

use crate::{
    auth::{key_guard::KeyGuard, request_auth::RequestAuth},
    http::slash::with_slash,
    services::Services,
};

/// Returns every route of this module, with absolute paths. A slash at the end makes no difference.
pub(crate) fn router<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Services: FromRef<S>,
    Arc<RequestAuth>: FromRef<S>,
    Arc<KeyGuard>: FromRef<S>,
{
    let mut router = Router::new();
    for (path, methods) in routes() {
        router = with_slash(router, path, methods);
    }
    router
}

/// Returns the paths, with the methods of each.
fn routes<S>() -> [(&'static str, MethodRouter<S>); 20]
where
    S: Clone + Send + Sync + 'static,
    Services: FromRef<S>,
    Arc<RequestAuth>: FromRef<S>,
    Arc<KeyGuard>: FromRef<S>,
{
    [
        ("/api/orders", post(orders::place).get(orders::list)),
        ("/api/orders/{id}", get(orders::read)),
        ("/api/orders/{id}/status", put(orders::set_status)),
        ("/api/orders/{id}/assign", put(orders::assign)),
        (
            "/api/notifications",
            get(notifications::list).post(notifications::notify),
        ),
        ("/api/notifications/{id}/read", put(notifications::read)),
        ("/api/notifications/read-all", put(notifications::read_all)),
        ("/api/payments", get(payments::list)),
        ("/api/payments/orders/{orderId}", post(payments::open)),
        ("/api/payments/verify", post(payments::verify)),
        ("/api/payments/webhook", post(payments::webhook)),
        ("/api/tailors/me/status", put(tailors::set_status)),
        ("/api/realtime/emit", post(realtime::emit)),
        ("/api/realtime/revoke", post(realtime::revoke)),
        ("/api/realtime/sessions", get(connections::sessions)),
        (
            "/api/realtime/sessions/{id}",
            delete(connections::disconnect),
        ),
        ("/api/realtime/rooms", get(connections::rooms)),
        ("/api/realtime/presence", get(connections::presence)),
        ("/api/realtime/stats", get(connections::stats)),
        ("/api/realtime/refusals", get(connections::refusals)),
    ]
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
    payments::list,
    payments::open,
    payments::verify,
    payments::webhook,
    tailors::set_status,
    realtime::emit,
    realtime::revoke,
    connections::sessions,
    connections::disconnect,
    connections::rooms,
    connections::presence,
    connections::stats,
    connections::refusals,
))]
pub struct ApiDoc;
