//! The query parameters.

use axum::extract::{FromRequestParts, Query};
use http::{Uri, request::Parts};
use serde::de::DeserializeOwned;

use crate::{http::problem::ApiError, model::FieldError};

/// The query, parsed as `T`. A bad or unknown parameter is 422 `validation_failed` with `/name` as
/// pointer. Mark `T` with `deny_unknown_fields`.
///
/// Two kinds of parameters are ignored: `_=…`, with which clients get around caches, and one that
/// is empty or `null`, which is how clients write a parameter that they do not set.
#[derive(Debug, Clone)]
pub struct QueryParams<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryParams<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        let read = Query::<T>::try_from_uri(&with_query(&meaningful(query)));
        read.map(|Query(params)| Self(params))
            .map_err(|rejection| refusal(&rejection.body_text()))
    }
}

/// Returns the parameters of a query that say something.
fn meaningful(query: &str) -> String {
    let says_something = |parameter: &&str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        name != "_" && !matches!(value, "" | "null")
    };
    let parameters: Vec<&str> = query.split('&').filter(says_something).collect();
    parameters.join("&")
}

fn with_query(query: &str) -> Uri {
    // Parts of a query that was parsed before are a query again.
    Uri::try_from(format!("/?{query}")).unwrap_or_default()
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
        #[serde(default, deserialize_with = "crate::model::whole::in_query")]
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
            ("limit=1.5", "/limit"),
            ("limit=-1", "/limit"),
            ("limit=1e400", "/limit"),
            ("limit=NULL", "/limit"),
            ("__=1", "/__"),
            ("unread=0&_=1", "/unread"),
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

    #[tokio::test]
    async fn what_says_nothing_is_ignored() {
        for query in [
            "",
            "&",
            "_=1764444444444",
            "_",
            "limit=&unread=",
            "limit&unread",
            "limit=null&unread=null",
            "sort=&filter=null&_=",
        ] {
            let params = read(query).await.unwrap();
            assert_eq!((params.limit, params.unread), (None, false), "{query}");
        }
        let params = read("limit=&_=9&limit=7&unread=true&limit=null")
            .await
            .unwrap();
        assert_eq!((params.limit, params.unread), (Some(7), true));
    }

    #[tokio::test]
    async fn a_whole_number_may_be_written_as_a_fraction() {
        for query in ["limit=20.0", "limit=2e1", "limit=0.2E2", "limit=20"] {
            assert_eq!(read(query).await.unwrap().limit, Some(20), "{query}");
        }
    }
}
