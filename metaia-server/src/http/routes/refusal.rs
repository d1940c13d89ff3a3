//! Errors of services as problem documents: each with its status.

use http::{HeaderValue, StatusCode, header};
use metaia_realtime::auth::AuthError;

use crate::{
    auth::gate_refusal::GateRefusal, http::problem::ApiError, services::ServiceError,
    store::StoreError,
};

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::NotFound => Self::not_found(),
            ServiceError::Invalid(errors) => Self::invalid(errors),
            ServiceError::Directory(cause) => Self::unavailable(cause),
            ServiceError::Revocation(cause) => Self::unavailable(cause),
            ServiceError::Store(cause @ StoreError::Unavailable(_)) => Self::unavailable(cause),
            other => with_headers(&other, to_problem(&other)).caused_by(other),
        }
    }
}

fn to_problem(error: &ServiceError) -> ApiError {
    let problem = ApiError::new(status_of(error), error.code(), error.to_string());
    match gate_refusal(error) {
        Some(refusal) => problem.at_gate(refusal),
        None => problem,
    }
}

/// Returns the refusal of the gate that an error is, if it is one. What a caller may not see does
/// not exist for them, and is none.
const fn gate_refusal(error: &ServiceError) -> Option<GateRefusal> {
    match error {
        ServiceError::Unauthenticated => Some(GateRefusal::Caller(AuthError::Unauthorized)),
        ServiceError::Forbidden => Some(GateRefusal::Caller(AuthError::Forbidden)),
        _ => None,
    }
}

const fn status_of(error: &ServiceError) -> StatusCode {
    match error {
        ServiceError::Unauthenticated | ServiceError::ForgedWebhook => StatusCode::UNAUTHORIZED,
        ServiceError::Forbidden => StatusCode::FORBIDDEN,
        ServiceError::NotFound => StatusCode::NOT_FOUND,
        ServiceError::IllegalTransition { .. }
        | ServiceError::OrderClosed(_)
        | ServiceError::AlreadyPaid
        | ServiceError::NothingToPay
        | ServiceError::PaymentClosed
        | ServiceError::Busy
        | ServiceError::InProgress => StatusCode::CONFLICT,
        ServiceError::VersionMismatch => StatusCode::PRECONDITION_FAILED,
        ServiceError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        ServiceError::Invalid(_) | ServiceError::InvalidSignature | ServiceError::KeyReused => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        ServiceError::Store(StoreError::Corrupt(_) | StoreError::Event(_))
        | ServiceError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        ServiceError::Provider(_) => StatusCode::BAD_GATEWAY,
        ServiceError::Directory(_) | ServiceError::Revocation(_) | ServiceError::Store(_) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
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
