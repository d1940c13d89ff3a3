//! `GET /livez`: the process answers. `GET /readyz`: it can do its work, and is not shutting down.

use axum::{Json, Router, extract::State, routing::get};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    http::{problem::ApiError, slash::with_slash},
    state::{AppState, Health, NotReady},
};

const LIVEZ: &str = "/livez";
const READYZ: &str = "/readyz";

/// The paths that are answered also while there are too many connections.
pub(crate) const PATHS: [&str; 2] = [LIVEZ, READYZ];

pub(crate) fn router() -> Router<AppState> {
    let router = with_slash(Router::new(), LIVEZ, get(livez));
    with_slash(router, READYZ, get(readyz))
}

async fn livez() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

async fn readyz(State(health): State<Health>) -> Result<Json<Value>, ApiError> {
    let body = match health.check().await? {
        None => json!({ "status": "ready" }),
        Some(notice) => json!({ "status": "ready", "notice": notice }),
    };
    Ok(Json(body))
}

impl From<NotReady> for ApiError {
    fn from(reason: NotReady) -> Self {
        let detail = reason.to_string();
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail)
            .header(header::RETRY_AFTER, HeaderValue::from_static("1"));
        match reason {
            // A shutdown is no failure: nothing is logged.
            NotReady::Leaving => problem,
            NotReady::Unusable { source, .. } | NotReady::Obstructed { source, .. } => {
                problem.caused_by(source)
            }
            NotReady::Silent { .. } | NotReady::UnknownRevocations => problem.caused_by(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_not_ready_answers_503() {
        let problem = ApiError::from(NotReady::Leaving);
        assert_eq!(problem.status(), 503);
        assert_eq!(problem.code(), "not_ready");
    }
}
