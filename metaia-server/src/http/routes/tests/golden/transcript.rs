//! Requests and their replies, as text.

use std::fmt::Write as _;

use axum::{body::Bytes, response::Response};

use super::{super::*, mask::Mask};
use crate::{config::Origins, http::middleware};

/// The headers of a reply that clients read.
const HEADERS: [&str; 6] = [
    "content-type",
    "allow",
    "etag",
    "idempotency-replayed",
    "retry-after",
    "www-authenticate",
];

/// The folder of the files.
pub(super) const BODIES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/src/http/routes/tests/golden/bodies"
);

/// The requests of a scenario and their replies.
pub(super) struct Transcript {
    app: Router,
    mask: Mask,
    text: String,
}

impl Transcript {
    /// Returns the empty transcript of a scenario. Its requests pass the middleware of the server.
    pub(super) fn new(api: &Api) -> Self {
        Self {
            app: middleware::around(api.router.clone(), &Origins::Any),
            mask: Mask::default(),
            text: String::new(),
        }
    }

    /// Sends a request without a body.
    pub(super) async fn get(&mut self, title: &str, who: &As<'_>, path: &str) -> Value {
        self.send(title, who, ("GET", path), Vec::new()).await
    }

    /// Sends a request with a JSON body.
    pub(super) async fn json(
        &mut self,
        title: &str,
        who: &As<'_>,
        route: (&str, &str),
        body: &Value,
    ) -> Value {
        self.send(title, who, route, body.to_string().into_bytes())
            .await
    }

    /// Sends a request and notes its reply. Returns `data` of the body.
    pub(super) async fn send(
        &mut self,
        title: &str,
        who: &As<'_>,
        route: (&str, &str),
        body: Vec<u8>,
    ) -> Value {
        let reply = self.ask(who, route, body).await;
        let (parts, body) = reply.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        self.note(title, route, (parts.status, parts.headers), &bytes);
        let mut body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        body["data"].take()
    }

    /// Sends a request without noting it.
    pub(super) async fn ask(
        &self,
        who: &As<'_>,
        (method, path): (&str, &str),
        body: Vec<u8>,
    ) -> Response {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-request-id", "golden")
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap();
        request.headers_mut().extend(who.headers.clone());
        self.app.clone().oneshot(request).await.unwrap()
    }

    /// Notes a reply.
    pub(super) fn note(
        &mut self,
        title: &str,
        (method, path): (&str, &str),
        (status, headers): (StatusCode, HeaderMap),
        body: &Bytes,
    ) {
        let mut text = format!("## {title}\n{method} {path}\n{}\n", status.as_u16());
        for name in HEADERS {
            if let Some(value) = headers.get(name) {
                writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
            }
        }
        write!(text, "\n{}\n\n", std::str::from_utf8(body).unwrap()).unwrap();
        self.text.push_str(&self.mask.apply(&text));
    }

    /// Compares the transcript with its file.
    pub(super) fn check(self, name: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(BODIES);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, self.text));
    }
}
