//! A JSON body. Each way in which it can be wrong has its own problem.

use axum::extract::{FromRequest, Request};
use http::{HeaderMap, StatusCode, header};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::{Path, Segment};

use super::RawBody;
use crate::{http::problem::ApiError, model::FieldError};

/// The errors of serde_json at an escape that stands for no character. JSON allows one half of a
/// surrogate pair without the other, and no text has it.
const HALF_A_CHARACTER: [&str; 2] = [
    "unexpected end of hex escape",
    "lone leading surrogate in hex escape",
];

/// The body, parsed as `T`. Mark `T` with `deny_unknown_fields`.
///
/// | body | problem |
/// |---|---|
/// | another content type | 415 `unsupported_media_type` |
/// | too large | 413 `body_too_large` |
/// | not JSON | 400 `invalid_json` |
/// | JSON of another shape | 422 `validation_failed`, with a pointer |
/// | half of a surrogate pair | 422 `validation_failed`, with a pointer |
#[derive(Debug, Clone)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Send the body as application/json.",
            ));
        }
        let RawBody(bytes) = RawBody::from_request(request, state).await?;
        parse(&bytes).map(Self)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    let Some(text) = content_type.and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = text.split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Parses `T`, as the extractor does.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    require_object(bytes)?;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| refusal(&error, bytes))?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

/// Refuses JSON that is not an object. serde would read an array as the members in the order of
/// their declaration.
fn require_object(bytes: &[u8]) -> Result<(), ApiError> {
    if bytes.trim_ascii_start().first() == Some(&b'{') {
        return Ok(());
    }
    match serde_json::from_slice::<IgnoredAny>(bytes) {
        Ok(_) => Err(ApiError::invalid(vec![FieldError::new(
            "",
            "The body must be a JSON object.",
        )])),
        Err(error) => Err(malformed(&error)),
    }
}

fn refusal(error: &serde_path_to_error::Error<serde_json::Error>, bytes: &[u8]) -> ApiError {
    let text = error.inner().to_string();
    // serde's line and column mean little to a client; the pointer names the place.
    let mut message = text.rfind(" at line ").map_or(&*text, |at| &text[..at]);
    if !error.inner().is_data() {
        // serde_json reports a number in place of a variant's name as a syntax error, although it
        // is well-formed JSON.
        if let Err(error) = serde_json::from_slice::<IgnoredAny>(bytes) {
            return malformed(&error);
        }
        if !HALF_A_CHARACTER.contains(&message) {
            message = "this is not one of the expected values";
        }
    }
    if HALF_A_CHARACTER.contains(&message) {
        message = "has half of a surrogate pair, such as \\ud800 alone, which is no character";
    }
    ApiError::invalid(vec![FieldError::new(
        pointer(error.path(), message),
        message,
    )])
}

fn malformed(error: &serde_json::Error) -> ApiError {
    let detail = format!("The body is not JSON: {error}.");
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_json", detail)
}

/// Returns the place as a JSON pointer (RFC 6901): for a missing or unknown member to that member,
/// not to its parent.
fn pointer(path: &Path, message: &str) -> String {
    let mut pointer: String = path.iter().map(pointer_step).collect();
    if let Some(member) = named_member(message).map(escape)
        && !pointer.ends_with(&format!("/{member}"))
    {
        pointer = format!("{pointer}/{member}");
    }
    pointer
}

fn pointer_step(segment: &Segment) -> String {
    match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", escape(key)),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    }
}

/// Returns the member that serde's text names, if the error is about the member itself.
fn named_member(message: &str) -> Option<&str> {
    let kinds = ["missing field `", "unknown field `", "duplicate field `"];
    let rest = kinds
        .into_iter()
        .find_map(|kind| message.strip_prefix(kind))?;
    rest.split('`').next()
}

fn escape(member: &str) -> String {
    member.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use axum::{body::Body, response::IntoResponse as _};
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only read")]
    struct Order {
        items: Vec<Item>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only read")]
    struct Item {
        price: u32,
        #[serde(default)]
        to: Option<To>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase", deny_unknown_fields)]
    #[allow(dead_code, reason = "only read")]
    enum To {
        User { id: u32 },
        Everyone,
    }

    async fn check(body: &str, status: u16, code: &str, pointer: Option<&str>) {
        let refusal = parse::<Order>(body.as_bytes()).unwrap_err();
        let (got, problem) = testing::json(refusal.into_response()).await;
        assert_eq!(
            (got.as_u16(), problem["code"].as_str()),
            (status, Some(code)),
            "{body}: {problem}"
        );
        assert_eq!(
            problem["errors"][0]["pointer"].as_str(),
            pointer,
            "{body}: {problem}"
        );
    }

    #[tokio::test]
    async fn an_error_points_at_its_place() {
        let invalid = "validation_failed";
        check("", 400, "invalid_json", None).await;
        check("{", 400, "invalid_json", None).await;
        check(r#"{"items":[]} x"#, 400, "invalid_json", None).await;
        check(&"[".repeat(1_000), 400, "invalid_json", None).await;
        check(r#"{"items":[{"price":1,"to":"#, 400, "invalid_json", None).await;
        check("[[]]", 422, invalid, Some("")).await;
        check("7", 422, invalid, Some("")).await;
        check("{}", 422, invalid, Some("/items")).await;
        check(r#"{"items":[],"a/b":1}"#, 422, invalid, Some("/a~1b")).await;
        check(
            r#"{"items":[{"price":1},{"price":-1}]}"#,
            422,
            invalid,
            Some("/items/1/price"),
        )
        .await;
        check(r#"{"items":[{}]}"#, 422, invalid, Some("/items/0/price")).await;
        check(
            r#"{"items":[{"price":1,"colour":2}]}"#,
            422,
            invalid,
            Some("/items/0/colour"),
        )
        .await;
        check(r#"{"items":[],"items":[]}"#, 422, invalid, Some("/items")).await;
        check(
            r#"{"items":[{"price":1,"to":7}]}"#,
            422,
            invalid,
            Some("/items/0/to"),
        )
        .await;
        check(
            r#"{"items":[{"price":1,"to":7}]"#,
            400,
            "invalid_json",
            None,
        )
        .await;
        check(
            r#"{"items":[{"price":1,"to":{"user":{"id":"x"}}}]}"#,
            422,
            invalid,
            Some("/items/0/to/id"),
        )
        .await;
    }

    #[tokio::test]
    async fn another_content_type_is_refused() {
        for (kind, good) in [
            (Some("application/json"), true),
            (Some("Application/JSON; charset=utf-8"), true),
            (Some("application/merge-patch+json"), true),
            (Some("text/plain"), false),
            (Some("application/x-www-form-urlencoded"), false),
            (None, false),
        ] {
            let builder = http::Request::builder();
            let builder = kind
                .into_iter()
                .fold(builder, |b, kind| b.header(header::CONTENT_TYPE, kind));
            let request = builder.body(Body::from(r#"{"items":[]}"#)).unwrap();
            let read = JsonBody::<Order>::from_request(request, &()).await;
            let code = read.map_or_else(|refusal| refusal.code(), |_| "ok");
            assert_eq!(
                code,
                if good { "ok" } else { "unsupported_media_type" },
                "{kind:?}"
            );
        }
    }
}
