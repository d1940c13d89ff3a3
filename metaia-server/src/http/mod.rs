//! HTTP: a request passes the middleware, is read by [`extract`], answered by [`routes`] or with a
//! [`problem`].

pub mod extract;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod middleware;
pub(crate) mod openapi;
pub mod problem;
pub mod routes;
