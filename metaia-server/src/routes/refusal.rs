//! Refusals of services as problem documents.

use http::StatusCode;

use crate::{error::ApiError, services::ServiceError, store::StoreError};

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::NotFound => Self::not_found(),
            ServiceError::Invalid(errors) => Self::invalid(errors),
            ServiceError::Store(cause @ StoreError::Unavailable(_)) => Self::unavailable(cause),
            other => {
                let status =
                    StatusCode::from_u16(other.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                Self::new(status, other.code(), other.to_string()).caused_by(other)
            }
        }
    }
}
