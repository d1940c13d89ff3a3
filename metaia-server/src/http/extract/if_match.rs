//! `If-Match: "version"`: change the record only if it still has this version.

use axum::extract::FromRequestParts;
use http::{StatusCode, header, request::Parts};

use crate::http::problem::ApiError;

/// The version that the caller has seen. `None` without the header, and for `*`.
///
/// A value that is not quoted text is 400 `invalid_if_match`. A tag that this server never issues
/// (another text, a weak tag) matches nothing: 412 `precondition_failed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub Option<u64>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else {
            return Ok(Self(None));
        };
        parse(value.to_str().unwrap_or_default().trim())
    }
}

fn parse(text: &str) -> Result<IfMatch, ApiError> {
    if text == "*" {
        return Ok(IfMatch(None));
    }
    let is_weak = text.starts_with("W/");
    let tag = text.strip_prefix("W/").unwrap_or(text);
    let quoted = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let Some(version) = quoted else {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "invalid_if_match",
            r#"If-Match must be a version in quotes, for example "3"."#,
        ));
    };
    match version.parse() {
        Ok(version) if !is_weak => Ok(IfMatch(Some(version))),
        _ => Err(ApiError::new(
            StatusCode::PRECONDITION_FAILED,
            "precondition_failed",
            "This is not the current version.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<Option<u64>, &str>) {
        let read = parse(text);
        assert_eq!(
            read.as_ref()
                .map(|IfMatch(version)| *version)
                .map_err(|e| e.code()),
            expected,
            "{text}"
        );
    }

    #[test]
    fn a_version_is_read_from_its_quotes() {
        check("\"3\"", Ok(Some(3)));
        check("*", Ok(None));
        check("3", Err("invalid_if_match"));
        check("", Err("invalid_if_match"));
        check("\"", Err("invalid_if_match"));
        check("W/\"3\"", Err("precondition_failed"));
        check("\"abc\"", Err("precondition_failed"));
        check("\"-1\"", Err("precondition_failed"));
    }
}
