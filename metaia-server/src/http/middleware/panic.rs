//! Answers 500 if a handler panics. The panic hook logs the message.

use std::any::Any;

use axum::response::{IntoResponse as _, Response};

use crate::http::problem::ApiError;

pub(super) fn answer(_: Box<dyn Any + Send>) -> Response {
    ApiError::internal("the handler panicked").into_response()
}
