//! `If-Match: "version"`: change the record only if it still has this version.

use axum::extract::FromRequestParts;
use http::{StatusCode, header, request::Parts};

use crate::{http::problem::ApiError, model::Precondition};

/// The versions that the caller accepts (RFC 9110, section 13.1.1). There is no condition without
/// the header, and for `*`: a record that is not there is 404.
///
/// The header is a list of tags. A weak tag counts like a strong one, since a proxy that compresses
/// answers makes strong tags weak. A tag that this server never issues matches no version. A value
/// that is no list of tags is 400 `invalid_if_match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(pub Precondition);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let values = parts.headers.get_all(header::IF_MATCH).iter();
        // Several headers are one list. Bytes that are not ASCII are in no tag of this server.
        let lists: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        if lists.is_empty() {
            return Ok(Self(Precondition::None));
        }
        parse(&lists.join(",")).map(Self).ok_or_else(malformed)
    }
}

fn malformed() -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "invalid_if_match",
        r#"If-Match must be versions in quotes, for example "3" or "3", "4"."#,
    )
}

/// Parses a list of tags, or `*`. Lists of the same versions in another order are the same: under
/// an `Idempotency-Key`, the condition belongs to the request.
fn parse(list: &str) -> Option<Precondition> {
    if trimmed(list) == "*" {
        return Some(Precondition::None);
    }
    let mut versions = Vec::new();
    let mut is_empty = true;
    let mut rest = list;
    loop {
        // A list may have empty elements.
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            break;
        }
        let (tag, after) = next_tag(rest)?;
        is_empty = false;
        versions.extend(version(tag));
        rest = trimmed(after);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
    versions.sort_unstable();
    versions.dedup();
    (!is_empty).then_some(Precondition::AnyOf(versions))
}

/// Takes a tag from the beginning of a list, without its quotes.
fn next_tag(list: &str) -> Option<(&str, &str)> {
    let opaque = list.strip_prefix("W/").unwrap_or(list);
    opaque.strip_prefix('"')?.split_once('"')
}

/// Returns the version of a tag, if it is one that this server issues.
fn version(tag: &str) -> Option<u64> {
    let version: u64 = tag.parse().ok()?;
    (version.to_string() == tag).then_some(version)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(headers: &[&str], expected: Result<Precondition, &str>) {
        let builder = http::Request::builder();
        let builder = headers
            .iter()
            .fold(builder, |b, value| b.header(header::IF_MATCH, *value));
        let (mut parts, ()) = builder.body(()).unwrap().into_parts();
        let read = IfMatch::from_request_parts(&mut parts, &()).await;
        let read = read.map(|IfMatch(condition)| condition);
        assert_eq!(
            read.as_ref().map_err(ApiError::code),
            expected.as_ref().map_err(|c| *c),
            "{headers:?}"
        );
    }

    fn any_of(versions: &[u64]) -> Result<Precondition, &'static str> {
        Ok(Precondition::AnyOf(versions.to_vec()))
    }

    #[tokio::test]
    async fn each_tag_of_a_list_is_a_version_in_quotes() {
        check(&["\"3\""], any_of(&[3])).await;
        check(&["\"1\", \"2\",\"3\""], any_of(&[1, 2, 3])).await;
        check(&["\"1\"\t,\t\"2\" "], any_of(&[1, 2])).await;
        check(&["\"1\"", "W/\"2\""], any_of(&[1, 2])).await;
        check(&[",, \"1\",,\"2\","], any_of(&[1, 2])).await;
    }

    #[tokio::test]
    async fn lists_of_the_same_versions_are_the_same_condition() {
        check(&["\"3\", \"1\""], any_of(&[1, 3])).await;
        check(&["\"3\"", "\"1\", W/\"3\", \"1\""], any_of(&[1, 3])).await;
        check(&["\"10\", \"9\", \"x\", \"10\""], any_of(&[9, 10])).await;
    }

    #[tokio::test]
    async fn a_weak_tag_counts_like_a_strong_one() {
        check(&["W/\"3\""], any_of(&[3])).await;
        check(&["W/\"3\", \"4\""], any_of(&[3, 4])).await;
    }

    #[tokio::test]
    async fn a_tag_of_another_server_matches_no_version() {
        for tag in [
            "abc",
            "",
            "-1",
            "+3",
            "03",
            "3.0",
            "a,b",
            "é",
            "18446744073709551616",
        ] {
            check(&[&format!("\"{tag}\"")], any_of(&[])).await;
            check(&[&format!("\"{tag}\", \"4\"")], any_of(&[4])).await;
        }
    }

    #[tokio::test]
    async fn without_the_header_and_for_a_star_there_is_no_condition() {
        check(&[], Ok(Precondition::None)).await;
        check(&["*"], Ok(Precondition::None)).await;
        check(&[" * "], Ok(Precondition::None)).await;
    }

    #[tokio::test]
    async fn what_is_no_list_of_tags_is_refused() {
        for text in [
            "3",
            "",
            ",",
            "\"",
            "\"3",
            "3\"",
            "w/\"3\"",
            "W/3",
            "W/",
            "\"1\" \"2\"",
            "\"1\"2",
            "*, \"1\"",
            "\"1\", *",
            "\"1\", 2",
        ] {
            check(&[text], Err("invalid_if_match")).await;
        }
    }
}
