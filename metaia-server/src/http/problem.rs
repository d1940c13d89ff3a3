//! The refusals of the REST interface: problem documents of RFC 9457.
//!
//! `{type, title, status, detail, code, requestId, errors?, message}`. `code` is stable and for
//! programs; `message` repeats `detail` for clients of the old backend. Causes are logged under the
//! request id, and never sent.

use std::{borrow::Cow, error::Error};

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::{
    auth::gate_refusal::GateRefusal,
    error_chain::chain,
    http::{middleware::request_id, shortened::shortened},
    model::FieldError,
};

/// The content type of every refusal.
pub(crate) const CONTENT_TYPE: &str = "application/problem+json";

type Cause = Box<dyn Error + Send + Sync>;

/// A refusal or a failure, as the REST interface answers it.
#[derive(Debug)]
#[must_use]
pub struct ApiError(Box<Problem>);

#[derive(Debug)]
struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Cause>,
    gate: Option<GateRefusal>,
}

impl ApiError {
    /// Returns a problem with a stable code and a sentence for people.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Problem {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
            cause: None,
            gate: None,
        }))
    }

    /// Returns the problem of a failure inside the server. The cause is logged.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Internal server error.",
        )
        .caused_by(cause)
    }

    /// Returns the problem of a store or other service that cannot be used now. The cause is
    /// logged.
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::try_again().caused_by(cause)
    }

    /// Returns the problem of a service that cannot be used now, of which another part logs the
    /// cause.
    pub(crate) fn try_again() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Temporarily unavailable. Try again later.",
        )
        .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// Returns the problem of a record that does not exist or that the caller may not see.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not found.")
    }

    /// Returns the problem of a well-formed input that is not valid. It lists the first 20 errors,
    /// and repeats little of what was sent.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let count = errors.len();
        let errors = shortened(errors);
        let detail = match &*errors {
            [only] if only.pointer.is_empty() => only.message.clone(),
            [only] => format!("{}: {}", only.pointer, only.message),
            listed if listed.len() < count => {
                let listed = listed.len();
                format!("{count} members are not valid; the first {listed} are listed.")
            }
            _ => format!("{count} members are not valid."),
        };
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "validation_failed",
            detail,
        )
        .errors(errors)
    }

    /// Adds the errors of the input, each with its place.
    pub fn errors(mut self, errors: Vec<FieldError>) -> Self {
        self.0.errors = errors;
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Adds the cause, for the log.
    pub fn caused_by(mut self, cause: impl Into<Cause>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Makes it a refusal of the gate, which is counted, listed and logged.
    pub(crate) fn at_gate(mut self, refusal: GateRefusal) -> Self {
        self.0.gate = Some(refusal);
        self
    }

    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// Returns the HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }
}

impl Problem {
    fn log(&self) {
        let Some(cause) = &self.cause else { return };
        let request_id = request_id::current();
        let cause = chain(&**cause);
        if self.status.is_server_error() {
            tracing::error!(request_id, code = self.code, cause, "request failed");
        } else {
            tracing::debug!(request_id, code = self.code, cause, "request refused");
        }
    }

    fn body(&self) -> Vec<u8> {
        let body = Body {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            request_id: request_id::current(),
            errors: &self.errors,
            message: &self.detail,
        };
        // The body consists of strings and numbers: this cannot fail.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = *self.0;
        problem.log();
        let kind = [(header::CONTENT_TYPE, CONTENT_TYPE)];
        let mut response = (problem.status, kind, problem.body()).into_response();
        response.headers_mut().extend(problem.headers);
        if let Some(refusal) = problem.gate {
            response.extensions_mut().insert(refusal);
        }
        response
    }
}

/// The problem document as it is sent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub(crate) struct Body<'a> {
    /// Always `about:blank`: `code` tells problems apart.
    #[serde(rename = "type")]
    kind: &'a str,
    /// The name of the status.
    title: &'a str,
    status: u16,
    /// The reason, for people.
    detail: &'a str,
    /// The reason, for programs. Stable.
    code: &'a str,
    /// The id under which the server logged the problem; also in `x-request-id`.
    request_id: String,
    /// Every error of the input, with its place.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<FieldError>)]
    errors: &'a [FieldError],
    /// The same as `detail`.
    message: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::json;

    #[tokio::test]
    async fn a_problem_has_the_documented_members_and_no_cause() {
        let errors = vec![FieldError::new("/items/0/price", "must be positive")];
        let refusal = ApiError::invalid(errors).caused_by("disk on fire");
        let (status, body) = json(refusal.into_response()).await;
        assert_eq!(status, 422);
        insta::assert_json_snapshot!(body, @r#"
        {
          "code": "validation_failed",
          "detail": "/items/0/price: must be positive",
          "errors": [
            {
              "message": "must be positive",
              "pointer": "/items/0/price"
            }
          ],
          "message": "/items/0/price: must be positive",
          "requestId": "",
          "status": 422,
          "title": "Unprocessable Entity",
          "type": "about:blank"
        }
        "#);
    }
}
