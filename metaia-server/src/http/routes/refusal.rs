//! Errors of services as problem documents.

use http::{HeaderValue, StatusCode, header};

use crate::{http::problem::ApiError, services::ServiceError, store::StoreError};

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::NotFound => Self::not_found(),
            ServiceError::Invalid(errors) => Self::invalid(errors),
            ServiceError::Directory(cause) => Self::unavailable(cause),
            ServiceError::Store(cause @ StoreError::Unavailable(_)) => Self::unavailable(cause),
            other => with_headers(&other, to_problem(&other)).caused_by(other),
        }
    }
}

fn to_problem(error: &ServiceError) -> ApiError {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    ApiError::new(status, error.code(), error.to_string())
}

/// Adds the headers that HTTP requires with some statuses: the authentication scheme, and the time
/// after which to retry.
fn with_headers(error: &ServiceError, problem: ApiError) -> ApiError {
    match error {
        ServiceError::Unauthenticated => {
            problem.header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
        }
        ServiceError::InProgress
        | ServiceError::Busy
        | ServiceError::Store(StoreError::Unknown(_)) => {
            problem.header(header::RETRY_AFTER, HeaderValue::from_static("1"))
        }
        _ => problem,
    }
}
