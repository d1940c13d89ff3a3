//! `GET /openapi.json`: the OpenAPI description of the REST interface, assembled from the routes.

use std::sync::LazyLock;

use axum::{Router, response::IntoResponse, routing::get};
use http::header;
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

async fn document() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/json")],
        DOCUMENT.as_str(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

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
