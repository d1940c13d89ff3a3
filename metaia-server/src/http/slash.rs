//! Paths with and without a slash at their end.

use axum::{Router, routing::MethodRouter};

/// Adds a route under its path, and under the same path with a slash at its end: some clients and
/// proxies add one, and a redirect would lose the body of a POST.
pub(crate) fn with_slash<S>(router: Router<S>, path: &str, methods: MethodRouter<S>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    router
        .route(path, methods.clone())
        .route(&format!("{path}/"), methods)
}
