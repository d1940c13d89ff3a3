//! The query parameters.

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::{http::problem::ApiError, model::FieldError};

/// The query, parsed as `T`. A bad or unknown parameter is 422 `validation_failed` with `/name` as
/// pointer. Mark `T` with `deny_unknown_fields`.
#[derive(Debug, Clone)]
pub struct QueryParams<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryParams<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let read = Query::<T>::try_from_uri(&parts.uri);
        read.map(|Query(params)| Self(params))
            .map_err(|rejection| refusal(&rejection.body_text()))
    }
}

/// Returns the problem of a query that cannot be parsed, with a pointer to the parameter.
///
/// The name is taken out of axum's text, `Failed to deserialize query string: name: reason`,
/// because the types behind it are private.
fn refusal(text: &str) -> ApiError {
    let text = text
        .strip_prefix("Failed to deserialize query string: ")
        .unwrap_or(text);
    let is_name = |name: &&str| !name.is_empty() && !name.contains([' ', '`']);
    let (name, message) = match text.split_once(": ").filter(|(name, _)| is_name(name)) {
        Some((name, message)) => (Some(name), message),
        // serde quotes the name of an unknown, missing or repeated parameter.
        None => (text.split('`').nth(1), text),
    };
    let pointer = name.map(|name| format!("/{name}")).unwrap_or_default();
    ApiError::invalid(vec![FieldError::new(pointer, message)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use axum::response::IntoResponse as _;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Params {
        limit: Option<u32>,
        #[serde(default)]
        unread: bool,
    }

    async fn read(query: &str) -> Result<Params, ApiError> {
        let request = http::Request::builder()
            .uri(format!("/x?{query}"))
            .body(())
            .unwrap();
        let (mut parts, ()) = request.into_parts();
        QueryParams::from_request_parts(&mut parts, &())
            .await
            .map(|QueryParams(params)| params)
    }

    #[tokio::test]
    async fn parameters_are_read_and_bad_ones_pointed_at() {
        let params = read("limit=5&unread=true").await.unwrap();
        assert_eq!((params.limit, params.unread), (Some(5), true));
        for (query, pointer) in [
            ("limit=x", "/limit"),
            ("unread=2", "/unread"),
            ("sort=a", "/sort"),
            ("limit=1&limit=2", "/limit"),
        ] {
            let (status, problem) =
                testing::json(read(query).await.unwrap_err().into_response()).await;
            assert_eq!(
                (status.as_u16(), problem["errors"][0]["pointer"].as_str()),
                (422, Some(pointer)),
                "{problem}"
            );
        }
    }
}
