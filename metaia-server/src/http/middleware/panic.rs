//! A panic in a handler is answered as 500. What it said is in the log, by the panic hook.

use std::any::Any;

use axum::response::{IntoResponse as _, Response};

use crate::http::problem::ApiError;

pub(super) fn answer(_: Box<dyn Any + Send>) -> Response {
    ApiError::internal("the handler panicked").into_response()
}
