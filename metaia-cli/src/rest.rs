//! The server's REST interface: sends one request, returns its data or its refusal.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

use crate::exit::{Exit, Failure};
use crate::identity::Authority;
use crate::printer::Printer;

/// A response with a status of 2xx.
#[derive(Debug)]
pub(crate) struct ApiResponse {
    pub(crate) status: u16,
    /// The member `data` of the body.
    pub(crate) data: Value,
}

/// A client of a server's REST interface.
#[derive(Debug)]
pub(crate) struct Api {
    http: reqwest::Client,
    base_url: String,
    printer: Printer,
}

impl Api {
    /// Creates a client of the server at `url`. `timeout` bounds each request.
    pub(crate) fn new(url: &str, timeout: Duration, printer: Printer) -> Result<Self, Failure> {
        // An error means that a provider is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(timeout)
            .no_proxy()
            .build()
            .map_err(|error| {
                Failure::new(Exit::Failed, "the HTTP client cannot be created").caused_by(error)
            })?;
        Ok(Self {
            http,
            base_url: http_url(url)?,
            printer,
        })
    }

    /// Sends one request. A status other than 2xx is a failure with the server's own text.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        authority: &Authority,
        body: Option<&Value>,
    ) -> Result<ApiResponse, Failure> {
        let url = format!("{}{path}", self.base_url);
        let mut request = authorized(self.http.request(method.clone(), url), authority)?;
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(no_response)?;
        self.printer.detail(&format!(
            "{method} {path} as {}: {}",
            authority.label(),
            response.status()
        ));
        read_response(response).await
    }
}

/// Returns the URL with the scheme http or https, without a slash at the end.
fn http_url(url: &str) -> Result<String, Failure> {
    let parsed = url::Url::parse(url)
        .map_err(|error| Failure::usage(format!("{url:?} is not a URL")).caused_by(error))?;
    let scheme = match parsed.scheme() {
        "http" | "ws" => "http",
        "https" | "wss" => "https",
        other => {
            return Err(Failure::usage(format!(
                "{url:?} is not the URL of a server: use http or https instead of {other:?}"
            )));
        }
    };
    let rest = parsed
        .as_str()
        .split_once(':')
        .map(|(_, rest)| rest)
        .unwrap_or_default();
    Ok(format!("{scheme}:{}", rest.trim_end_matches('/')))
}

fn authorized(request: RequestBuilder, authority: &Authority) -> Result<RequestBuilder, Failure> {
    Ok(match authority {
        Authority::Token(identity) => request.bearer_auth(identity.token()?),
        Authority::ApiKey(key) => request.header("x-api-key", key),
    })
}

fn no_response(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    if error.is_timeout() && !error.is_connect() {
        return Failure::new(Exit::TimedOut, "the server did not answer in time")
            .caused_by(error)
            .hint("--timeout sets a longer limit");
    }
    Failure::unreachable(error)
}

async fn read_response(response: Response) -> Result<ApiResponse, Failure> {
    let status = response.status();
    let body = response.text().await.map_err(no_response)?;
    // A body that is not JSON, such as a proxy's error page, carries no data and no reason.
    let body: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
    if !status.is_success() {
        return Err(refusal(status.as_u16(), &body));
    }
    let data = body.get("data").cloned().unwrap_or(Value::Null);
    Ok(ApiResponse {
        status: status.as_u16(),
        data,
    })
}

/// Converts a problem document into a failure: detail or title, code, and the wrong fields.
fn refusal(status: u16, problem: &Value) -> Failure {
    let text = |member: &str| problem.get(member).and_then(Value::as_str);
    let reason = text("detail")
        .or_else(|| text("message"))
        .or_else(|| text("title"))
        .unwrap_or("the server gave no reason");
    let code = text("code")
        .map(|code| format!(" ({code})"))
        .unwrap_or_default();
    let fields = wrong_fields(problem, reason);
    let exit = match status {
        401 => Exit::Unauthenticated,
        403 => Exit::Denied,
        _ => Exit::Failed,
    };
    let failure =
        Failure::new(exit, format!("HTTP {status}{code}: {reason}{fields}")).status(status);
    match text("requestId") {
        Some(id) if status >= 500 && !id.is_empty() => {
            failure.hint(format!("search the server's log for the request id {id}"))
        }
        _ => failure,
    }
}

/// Formats the wrong fields, without those that the reason mentions already.
fn wrong_fields(problem: &Value, reason: &str) -> String {
    let errors = problem.get("errors").and_then(Value::as_array);
    let mut texts = String::new();
    for error in errors.into_iter().flatten() {
        let text = |member: &str| {
            error
                .get(member)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let message = text("message");
        if !reason.contains(message) {
            texts += &format!("; {} {message}", text("pointer"));
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(status: u16, problem: Value, exit: Exit) -> String {
        let failure = refusal(status, &problem);
        assert_eq!(failure.exit, exit);
        failure.chain()
    }

    #[test]
    fn a_refusal_shows_the_servers_text() {
        let problem = json!({
            "title": "Unprocessable",
            "detail": "The body is not an order.",
            "code": "invalid_body",
            "requestId": "r1",
            "errors": [{"pointer": "/items/0/price", "message": "must be positive"}],
        });
        insta::assert_snapshot!(
            check(422, problem, Exit::Failed),
            @"HTTP 422 (invalid_body): The body is not an order.; /items/0/price must be positive"
        );
        let mentioned = json!({
            "detail": "/a: must be positive",
            "errors": [{"pointer": "/a", "message": "must be positive"}],
        });
        insta::assert_snapshot!(
            check(422, mentioned, Exit::Failed),
            @"HTTP 422: /a: must be positive"
        );
        insta::assert_snapshot!(
            check(502, json!(null), Exit::Failed),
            @"HTTP 502: the server gave no reason"
        );
    }

    #[test]
    fn authentication_and_permission_have_different_exit_codes() {
        check(401, json!({}), Exit::Unauthenticated);
        check(403, json!({}), Exit::Denied);
    }

    #[test]
    fn a_websocket_url_works_for_rest_too() {
        assert_eq!(
            http_url("wss://a.example/shop/").unwrap(),
            "https://a.example/shop"
        );
        assert_eq!(
            http_url("http://localhost:5000").unwrap(),
            "http://localhost:5000"
        );
        assert_eq!(http_url("ftp://a").unwrap_err().exit, Exit::Usage);
    }
}
