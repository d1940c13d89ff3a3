//! HTTP: a request passes the middleware, extractors read it ([`extract`]), and a handler of
//! [`routes`] answers it, or the server answers with a [`problem`].

mod credentials;
pub mod extract;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod middleware;
pub(crate) mod openapi;
pub mod problem;
pub mod routes;
pub(crate) mod shortened;
mod slash;
