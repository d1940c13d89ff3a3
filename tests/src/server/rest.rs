//! The REST API as one caller sees it: a method for each verb, a response with its status and JSON,
//! and the checks that all successes and all refusals have in common.

use std::net::IpAddr;
use std::sync::Once;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method};
use serde_json::Value;

use crate::eventually::within;

/// One caller's access to the API. A clone shares the connections.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    base: String,
    headers: HeaderMap,
}

impl Api {
    /// Creates a caller without credentials for the API at this address.
    #[must_use]
    pub fn new(base: &str, client: Client) -> Self {
        Self {
            client,
            base: base.to_owned(),
            headers: HeaderMap::new(),
        }
    }

    /// Adds `Authorization: Bearer <token>`.
    #[must_use]
    pub fn bearer(&self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Adds a header to every request.
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

    /// Adds a header to every request, beside one of the same name.
    #[must_use]
    pub fn another_header(&self, name: &'static str, value: &str) -> Self {
        let mut api = self.clone();
        let value = HeaderValue::from_str(value).expect("a header value");
        api.headers.append(name, value);
        api
    }

    /// Sends `GET`.
    pub async fn get(&self, path: &str) -> ApiResponse {
        self.request(Method::GET, path, None).await
    }

    /// Sends `POST` with JSON.
    pub async fn post(&self, path: &str, body: &Value) -> ApiResponse {
        self.request(Method::POST, path, Some(body.to_string().into_bytes()))
            .await
    }

    /// Sends `GET` to a server that may be gone. Returns `None` if it is.
    pub async fn try_get(&self, path: &str) -> Option<ApiResponse> {
        self.attempt(Method::GET, path, None).await.ok()
    }

    /// Sends `POST` with JSON to a server that may be gone. Returns `None` if it is.
    pub async fn try_post(&self, path: &str, body: &Value) -> Option<ApiResponse> {
        self.attempt(Method::POST, path, Some(body.to_string().into_bytes()))
            .await
            .ok()
    }

    /// Sends any method with JSON to a server that may be gone. Returns `None` if it is. A `null`
    /// body means no body.
    pub async fn try_send(&self, method: &str, path: &str, body: &Value) -> Option<ApiResponse> {
        let body = if body.is_null() {
            None
        } else {
            Some(body.to_string().into_bytes())
        };
        self.attempt(method.parse().expect("a method"), path, body)
            .await
            .ok()
    }

    /// Sends `POST` with a text, labelled as JSON, to a server that may be gone. Returns `None` if
    /// it is.
    pub async fn try_post_text(&self, path: &str, body: &str) -> Option<ApiResponse> {
        self.attempt(Method::POST, path, Some(body.as_bytes().to_vec()))
            .await
            .ok()
    }

    /// Sends `PUT` with JSON.
    pub async fn put(&self, path: &str, body: &Value) -> ApiResponse {
        self.request(Method::PUT, path, Some(body.to_string().into_bytes()))
            .await
    }

    /// Sends any method, with JSON or without a body.
    pub async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> ApiResponse {
        let method = method.parse().expect("a method");
        self.request(method, path, body.map(|body| body.to_string().into_bytes()))
            .await
    }

    /// Sends `POST` with these bytes, labelled as JSON.
    pub async fn post_bytes(&self, path: &str, body: impl Into<Vec<u8>>) -> ApiResponse {
        self.request(Method::POST, path, Some(body.into())).await
    }

    async fn request(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> ApiResponse {
        let answer = self.attempt(method.clone(), path, body).await;
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error:?}"))
    }

    async fn attempt(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> reqwest::Result<ApiResponse> {
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
        Ok(ApiResponse {
            what,
            status,
            headers,
            text,
        })
    }
}

/// Returns a client for plain HTTP, without proxies and redirects.
#[must_use]
pub fn http_client() -> Client {
    http_client_from(None)
}

/// Returns a client for plain HTTP whose connections come from this address.
#[must_use]
pub fn http_client_from(address: Option<IpAddr>) -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // The client requires a TLS provider although no test uses TLS. A second installation
        // fails, which does not matter.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let builder = Client::builder()
        .no_proxy()
        .local_address(address)
        // Otherwise each client reads all certificates of the system, for some 20 ms.
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none());
    builder.build().expect("an HTTP client")
}

/// The response to a request.
#[derive(Debug, Clone)]
pub struct ApiResponse {
    /// Method and path, for the text of a panic.
    pub what: String,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl ApiResponse {
    /// Parses the body as JSON.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {self:#?}"))
    }

    /// Returns a header's text, or an empty text if the header is absent.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Checks for a success with this status in the guide's shape and returns its `data`.
    #[track_caller]
    #[must_use]
    pub fn data(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:#?}");
        let mut body = self.json();
        assert_eq!(body["status"], "success", "{self:#?}");
        body["data"].take()
    }

    /// Checks for this status.
    #[track_caller]
    pub fn ok(&self, status: u16) {
        assert_eq!(self.status, status, "{self:#?}");
    }

    /// Checks for a refusal with this status and the shape of all refusals, and returns the
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
