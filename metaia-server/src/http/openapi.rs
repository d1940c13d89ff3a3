//! `GET /openapi.json`: the OpenAPI description of the REST interface, assembled from the routes.

use std::sync::LazyLock;

use axum::{Router, response::IntoResponse, routing::get};
use http::{HeaderMap, StatusCode, header};
use sha2::{Digest as _, Sha256};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Content, Ref, RefOr, Response, Responses,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::{
    http::{
        problem::{self, Body as Problem},
        routes,
        slash::with_slash,
    },
    state::AppState,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "METAIA realtime",
        description = "Orders, notifications and payments, with their events over Socket.IO.",
    ),
    components(schemas(Problem)),
    modifiers(&SecuritySchemes),
    security(("token" = []), ("key" = [])),
)]
struct BaseDocument;

struct SecuritySchemes;

impl Modify for SecuritySchemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let key = ApiKey::Header(ApiKeyValue::new("x-api-key"));
        components.add_security_scheme("key", SecurityScheme::ApiKey(key));
    }
}

/// The document, assembled at the first request.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| description().to_json().unwrap_or_default());

/// The tag of the document: two versions of the server have the same if it is the same.
static ETAG: LazyLock<String> = LazyLock::new(|| {
    let digest = hex::encode(Sha256::digest(DOCUMENT.as_bytes()));
    format!("\"{}\"", &digest[..ETAG_DIGITS])
});

/// The hex digits of the tag.
const ETAG_DIGITS: usize = 32;

/// The time for which the document may be used without asking again, in seconds: after an upgrade
/// it is another one.
const MAX_AGE: &str = "public, max-age=300";

/// Returns the description of the REST interface.
pub(crate) fn description() -> utoipa::openapi::OpenApi {
    let mut document = BaseDocument::openapi().merge_from(routes::ApiDoc::openapi());
    for item in document.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            describe_refusals(&mut operation.responses);
        }
    }
    document
}

/// Describes every refusal as a problem document, and adds the refusals that all routes share.
fn describe_refusals(responses: &mut Responses) {
    for (status, response) in &mut responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
        {
            *response = problem_reply(&response.description);
        }
    }
    let shared = problem_reply("Another refusal, or a failure; `code` tells which");
    responses
        .responses
        .insert("default".to_owned(), RefOr::T(shared));
}

fn problem_reply(description: &str) -> Response {
    let schema = Ref::from_schema_name("Problem");
    Response::builder()
        .description(description)
        .content(problem::CONTENT_TYPE, Content::new(Some(schema)))
        .build()
}

pub(crate) fn router() -> Router<AppState> {
    with_slash(Router::new(), "/openapi.json", get(document))
}

/// Answers with the document, or with 304 if the client has it.
async fn document(headers: HeaderMap) -> axum::response::Response {
    let validators = [
        (header::ETAG, ETAG.as_str()),
        (header::CACHE_CONTROL, MAX_AGE),
    ];
    if is_known(&headers) {
        return (StatusCode::NOT_MODIFIED, validators).into_response();
    }
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (validators, kind, DOCUMENT.as_str()).into_response()
}

/// Returns whether `If-None-Match` names the document (RFC 9110, section 13.1.2). A weak tag counts
/// like a strong one.
fn is_known(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter();
    let lists = values.filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|tag| {
        let tag = tag.trim();
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == *ETAG
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_known(tags: &[&str], expected: bool) {
        let values = tags.iter().map(|tag| tag.parse().unwrap());
        let headers = values.map(|value| (header::IF_NONE_MATCH, value)).collect();
        assert_eq!(is_known(&headers), expected, "{tags:?}");
    }

    #[test]
    fn the_document_is_known_by_its_tag() {
        check_known(&[&ETAG], true);
        check_known(&[&format!("W/{}", *ETAG)], true);
        check_known(&[&format!("\"other\", {}", *ETAG)], true);
        check_known(&["\"other\"", &ETAG], true);
        check_known(&["*"], true);
        check_known(&["\"other\""], false);
        check_known(&[ETAG.trim_matches('"')], false);
        check_known(&[], false);
    }

    #[test]
    fn routes_are_described_and_every_reference_resolves() {
        let document: serde_json::Value = serde_json::from_str(&DOCUMENT).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        assert!(document["paths"]["/api/orders/{id}/status"]["put"].is_object());
        let references = DOCUMENT.split("\"$ref\":\"#").skip(1);
        let references: Vec<&str> = references
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(references.contains(&"/components/schemas/Order"));
        for reference in references {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
    }
}
