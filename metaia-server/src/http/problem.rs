//! How the REST interface says no: problem documents of RFC 9457.
//!
//! `{type, title, status, detail, code, requestId, errors?, message}`. `code` is stable and for
//! programs; `message` repeats `detail` for clients of the backend that this one replaces. Causes
//! are logged under the request id, and never sent.

use std::{borrow::Cow, error::Error};

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::{http::middleware::request_id, model::FieldError};

type Cause = Box<dyn Error + Send + Sync>;

/// An answer that is not a success.
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
}

impl ApiError {
    /// An answer with a stable code, and a sentence for people.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (errors, headers) = (Vec::new(), Vec::new());
        Self(Box::new(Problem {
            status,
            code,
            detail: detail.into(),
            errors,
            headers,
            cause: None,
        }))
    }

    /// Something went wrong here. The cause is logged.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The server could not do this.",
        )
        .caused_by(cause)
    }

    /// The store or a service behind it does not answer now. The cause is logged.
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The server cannot do this at the moment.",
        )
        .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
        .caused_by(cause)
    }

    /// There is no such thing, or it is not the caller's.
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "There is nothing here for you.",
        )
    }

    /// The input was understood and is not valid.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match &*errors {
            [only] if only.pointer.is_empty() => only.message.clone(),
            [only] => format!("{}: {}", only.pointer, only.message),
            several => format!("{} members are not valid.", several.len()),
        };
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "validation_failed",
            detail,
        )
        .errors(errors)
    }

    /// With everything that is wrong, and where.
    pub fn errors(mut self, errors: Vec<FieldError>) -> Self {
        self.0.errors = errors;
        self
    }

    /// With a header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// With what is behind it, for the log.
    pub fn caused_by(mut self, cause: impl Into<Cause>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The HTTP status.
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
        // Strings and numbers only: this cannot fail.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

/// An error and its sources in one line. Some libraries say in a source what the error said before:
/// once is enough.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut said = vec![error.to_string()];
    let mut next = error.source();
    while let Some(source) = next {
        let text = source.to_string();
        if said
            .last()
            .is_none_or(|last| !text.ends_with(last.as_str()))
        {
            said.push(text);
        }
        next = source.source();
    }
    said.join(": ")
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = *self.0;
        problem.log();
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (problem.status, kind, problem.body()).into_response();
        response.headers_mut().extend(problem.headers);
        response
    }
}

/// The document as it is sent.
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
    /// What is wrong, for people.
    detail: &'a str,
    /// What is wrong, for programs. Stable.
    code: &'a str,
    /// Under which the server logged it; also in `x-request-id`.
    request_id: String,
    /// Everything that is wrong with the input.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<Object>)]
    errors: &'a [FieldError],
    /// As `detail`.
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

    #[test]
    fn a_chain_names_every_source_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] std::io::Error);
        let error = Outer(std::io::Error::other("inner"));
        assert_eq!(chain(&error), "outer: inner");
        let twice = std::io::Error::other(std::io::Error::other("inner"));
        assert_eq!(chain(&twice), "inner");
    }
}
