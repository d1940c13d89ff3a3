//! The middleware of every REST request, outermost first: request id, log line, CORS, panic
//! catcher, headers with credentials, body limit.

mod access_log;
mod cors;
pub(crate) mod gate;
mod panic;
mod repeated_headers;
pub(crate) mod request_id;

use axum::{
    Router,
    body::Body,
    extract::DefaultBodyLimit,
    middleware::{from_fn, map_response},
};
use tower::ServiceBuilder;
use tower_http::{catch_panic::CatchPanicLayer, map_response_body::MapResponseBodyLayer};

use crate::{config::Origins, http::problem::ApiError};

/// The largest request body, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Wraps the routes in the middleware, and answers requests without a route with a problem.
pub(crate) fn around<S: Clone + Send + Sync + 'static>(
    routes: Router<S>,
    origins: &Origins,
) -> Router<S> {
    // One layer: axum boxes the service of a route, and its future, once for each.
    let middleware = ServiceBuilder::new()
        .layer(from_fn(request_id::assign))
        .layer(from_fn(access_log::line))
        .layer(map_response(cors::complete))
        .layer(cors::layer(origins))
        .layer(MapResponseBodyLayer::new(Body::new))
        .layer(CatchPanicLayer::custom(panic::answer))
        .layer(from_fn(repeated_headers::refuse))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES));
    routes
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(middleware)
}

async fn no_route() -> ApiError {
    ApiError::new(
        http::StatusCode::NOT_FOUND,
        "not_found",
        "There is no such route.",
    )
}

async fn no_method() -> ApiError {
    ApiError::new(
        http::StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This route does not support this method: see the Allow header.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{http::extract::JsonBody, testing::json};
    use axum::{
        response::Response,
        routing::{get, post},
    };
    use http::{Request, header};
    use tower::ServiceExt as _;

    async fn ask(
        origins: Origins,
        request: http::request::Builder,
        body: impl Into<Body>,
    ) -> Response {
        let routes = Router::new()
            .route("/ok", get(|| async { "ok" }))
            .route("/panic", get(|| async { panic!("a bug") as &str }))
            .route(
                "/json",
                post(|_: JsonBody<serde_json::Value>| async { "ok" }),
            );
        around(routes, &origins)
            .oneshot(request.body(body.into()).unwrap())
            .await
            .unwrap()
    }

    async fn problem(request: http::request::Builder, body: impl Into<Body>) -> (u16, String) {
        let response = ask(Origins::Any, request, body).await;
        let id = response.headers()[request_id::HEADER]
            .to_str()
            .unwrap()
            .to_owned();
        let (status, body) = json(response).await;
        assert_eq!(body["requestId"], id);
        assert_eq!(body["message"], body["detail"]);
        (status.as_u16(), body["code"].as_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn every_failure_is_a_problem_with_the_request_id() {
        let json = |uri: &str| Request::post(uri).header(header::CONTENT_TYPE, "application/json");
        assert_eq!(
            problem(Request::get("/no"), "").await,
            (404, "not_found".to_owned())
        );
        assert_eq!(
            problem(Request::put("/ok"), "").await,
            (405, "method_not_allowed".to_owned())
        );
        assert_eq!(
            problem(Request::get("/panic"), "").await,
            (500, "internal".to_owned())
        );
        assert_eq!(
            problem(json("/json"), vec![b' '; MAX_BODY_BYTES + 1]).await,
            (413, "body_too_large".to_owned())
        );
        assert_eq!(
            problem(json("/json"), "{").await,
            (400, "invalid_json".to_owned())
        );
        let named = problem(Request::get("/no").header("x-request-id", "mine"), "").await;
        assert_eq!(named.0, 404);
    }

    #[tokio::test]
    async fn a_request_with_two_values_of_a_credential_is_refused() {
        for name in [
            "authorization",
            "x-api-key",
            "x-razorpay-signature",
            "x-razorpay-event-id",
        ] {
            for values in [["a", "b"], ["a", "a"], ["", ""]] {
                let request = Request::get("/ok").header(name, values[0]);
                let repeated = problem(request.header(name, values[1]), "").await;
                assert_eq!(repeated, (400, "repeated_header".to_owned()), "{name}");
            }
            let once = Request::get("/ok").header(name, "a");
            assert_eq!(ask(Origins::Any, once, "").await.status(), 200, "{name}");
        }
        let other = Request::get("/ok")
            .header("accept", "a")
            .header("accept", "b");
        assert_eq!(ask(Origins::Any, other, "").await.status(), 200);
    }

    #[tokio::test]
    async fn a_wrong_method_is_answered_with_the_allowed_ones() {
        let response = ask(Origins::Any, Request::put("/ok"), "").await;
        assert_eq!(response.headers()[header::ALLOW], "GET,HEAD");
    }

    #[tokio::test]
    async fn only_listed_origins_are_allowed() {
        let allowed = async |origins: Origins, origin: &str| {
            let request = Request::get("/ok").header(header::ORIGIN, origin);
            let response = ask(origins, request, "").await;
            let allowed = response.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
            allowed.map(|origin| origin.to_str().unwrap().to_owned())
        };
        let these = || Origins::These(vec!["https://app.example".parse().unwrap()]);
        assert_eq!(
            allowed(Origins::Any, "https://a.example").await.as_deref(),
            Some("*")
        );
        assert_eq!(
            allowed(these(), "https://app.example").await.as_deref(),
            Some("https://app.example")
        );
        assert_eq!(allowed(these(), "https://evil.example").await, None);
    }

    /// Asks before a `PUT` with these headers, as a browser does.
    async fn preflight(origins: Origins, origin: &str, asked: &str) -> http::HeaderMap {
        let request = Request::options("/ok")
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "PUT")
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, asked);
        let response = ask(origins, request, "").await;
        assert_eq!(response.status(), 200);
        response.headers().clone()
    }

    #[tokio::test]
    async fn a_page_may_send_the_headers_that_it_asks_for() {
        let these = || Origins::These(vec!["https://app.example".parse().unwrap()]);
        let asked = "authorization,if-match,x-app-version";
        for (origins, credentials) in [(Origins::Any, None), (these(), Some("true"))] {
            let headers = preflight(origins, "https://app.example", asked).await;
            assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_HEADERS], asked);
            assert_eq!(headers[header::ACCESS_CONTROL_MAX_AGE], "600");
            let allowed = headers.get(header::ACCESS_CONTROL_ALLOW_CREDENTIALS);
            assert_eq!(allowed.and_then(|value| value.to_str().ok()), credentials);
        }
        let headers = preflight(these(), "https://evil.example", asked).await;
        let granted = headers
            .keys()
            .find(|name| name.as_str().starts_with("access-control-"));
        assert_eq!(granted, None);
    }

    #[tokio::test]
    async fn nothing_may_keep_an_answer_or_read_it_as_another_type() {
        for path in ["/ok", "/no", "/panic"] {
            let request = Request::get(path).header(header::ORIGIN, "https://a.example");
            let response = ask(Origins::Any, request, "").await;
            let headers = response.headers();
            assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{path}");
            assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
            assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*", "{path}");
            let exposed = headers[header::ACCESS_CONTROL_EXPOSE_HEADERS]
                .to_str()
                .unwrap();
            for name in [
                "x-request-id",
                "x-realtime-position",
                "retry-after",
                "ratelimit",
            ] {
                assert!(exposed.contains(name), "{path}: {exposed}");
            }
        }
    }
}
