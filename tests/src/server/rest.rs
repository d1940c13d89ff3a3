//! The REST API as somebody sees it: typed verbs, an answer with its status and JSON, and the
//! checks that every success and every refusal has in common.

use std::sync::Once;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method};
use serde_json::Value;

use crate::eventually::within;

/// Somebody's access to the API. A clone shares connections.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    base: String,
    headers: HeaderMap,
}

impl Api {
    /// The API at this address, without credentials.
    #[must_use]
    pub fn new(base: &str, client: Client) -> Self {
        Self {
            client,
            base: base.to_owned(),
            headers: HeaderMap::new(),
        }
    }

    /// With `Authorization: Bearer <token>`.
    #[must_use]
    pub fn bearer(&self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With one more header on every request.
    #[must_use]
    pub fn header(&self, name: &str, value: &str) -> Self {
        let mut api = self.clone();
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
        api.headers.insert(
            name,
            HeaderValue::from_bytes(value.as_bytes()).expect("a header value"),
        );
        api
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, None).await
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::POST, path, Some(body.to_string().into_bytes()))
            .await
    }

    /// `GET` from a server that may be gone: `None` when it is.
    pub async fn try_get(&self, path: &str) -> Option<Answer> {
        self.attempt(Method::GET, path, None).await.ok()
    }

    /// `POST` of JSON to a server that may be gone: `None` when it is.
    pub async fn try_post(&self, path: &str, body: &Value) -> Option<Answer> {
        self.attempt(Method::POST, path, Some(body.to_string().into_bytes()))
            .await
            .ok()
    }

    /// Any method with JSON, to a server that may be gone: `None` when it is.
    pub async fn try_send(&self, method: &str, path: &str, body: &Value) -> Option<Answer> {
        let body = (!body.is_null()).then(|| body.to_string().into_bytes());
        self.attempt(method.parse().expect("a method"), path, body)
            .await
            .ok()
    }

    /// `POST` of a text said to be JSON, to a server that may be gone: `None` when it is.
    pub async fn try_post_text(&self, path: &str, body: &str) -> Option<Answer> {
        self.attempt(Method::POST, path, Some(body.as_bytes().to_vec()))
            .await
            .ok()
    }

    /// `PUT` of JSON.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::PUT, path, Some(body.to_string().into_bytes()))
            .await
    }

    /// Any method, with JSON or without a body.
    pub async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let method = method.parse().expect("a method");
        self.request(method, path, body.map(|body| body.to_string().into_bytes()))
            .await
    }

    /// `POST` of these bytes as they are, said to be JSON.
    pub async fn post_bytes(&self, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.request(Method::POST, path, Some(body.into())).await
    }

    async fn request(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Answer {
        let answer = self.attempt(method.clone(), path, body).await;
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error:?}"))
    }

    async fn attempt(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> reqwest::Result<Answer> {
        let what = format!("{method} {path}");
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .headers(self.headers.clone());
        if let Some(body) = body {
            if !self.headers.contains_key("content-type") {
                request = request.header("content-type", "application/json");
            }
            request = request.body(body);
        }
        let response = within(&what, request.send()).await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = within(&what, response.text()).await?;
        Ok(Answer {
            what,
            status,
            headers,
            text,
        })
    }
}

/// A client for plain HTTP: no proxies, no redirects.
#[must_use]
pub fn http_client() -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // The client insists on a TLS provider although nothing here uses TLS; a second
        // installation is no matter.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let builder = Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    builder.build().expect("an HTTP client")
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Method and path, for the panic's text.
    pub what: String,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {self:#?}"))
    }

    /// A header's text, empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Checks for a success with this status in the guide's shape, and returns its `data`.
    #[track_caller]
    #[must_use]
    pub fn data(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:#?}");
        let mut body = self.json();
        assert_eq!(body["status"], "success", "{self:#?}");
        body["data"].take()
    }

    /// Checks for a success with this status.
    #[track_caller]
    pub fn ok(&self, status: u16) {
        assert_eq!(self.status, status, "{self:#?}");
    }

    /// Checks for a refusal with this status and the shape that every refusal has, and returns the
    /// problem.
    #[track_caller]
    pub fn refused(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:#?}");
        let problem = self.json();
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:#?}"
        );
        for member in ["type", "title", "detail", "code", "requestId", "message"] {
            assert!(problem[member].is_string(), "no `{member}`: {self:#?}");
        }
        assert_eq!(problem["status"], status, "{self:#?}");
        assert_eq!(
            problem["message"], problem["detail"],
            "for clients of the old backend: {self:#?}"
        );
        assert_eq!(
            problem["requestId"],
            self.header("x-request-id"),
            "{self:#?}"
        );
        problem
    }

    /// Checks for a refusal with this status and code.
    #[track_caller]
    pub fn refused_as(&self, status: u16, code: &str) {
        let problem = self.refused(status);
        assert_eq!(problem["code"], code, "{self:#?}");
    }
}
