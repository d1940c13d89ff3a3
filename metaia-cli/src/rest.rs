//! The server's REST interface: one request, its answer or its refusal.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

use crate::context::Who;
use crate::exit::{Exit, Failure};
use crate::printer::Printer;

/// By what right a request is made.
#[derive(Debug, Clone)]
pub(crate) enum Authority {
    Token(Who),
    ApiKey(String),
}

impl Authority {
    /// Who that is, for reports.
    pub(crate) fn label(&self) -> &str {
        match self {
            Self::Token(who) => who.label(),
            Self::ApiKey(_) => "backend",
        }
    }
}

/// An answer with a status of 2xx.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The member `data`.
    pub(crate) data: Value,
}

/// A server's REST interface.
#[derive(Debug)]
pub(crate) struct Api {
    http: reqwest::Client,
    base: String,
    printer: Printer,
}

impl Api {
    /// `timeout` bounds each request.
    pub(crate) fn new(url: &str, timeout: Duration, printer: Printer) -> Result<Self, Failure> {
        // An error means that a provider is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(timeout)
            .no_proxy()
            .build();
        let http = http
            .map_err(|error| Failure::new(Exit::Failed, "HTTP cannot be used").caused_by(error))?;
        Ok(Self {
            http,
            base: http_form(url)?,
            printer,
        })
    }

    /// Sends one request. A status other than 2xx is a failure with the server's own words.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        authority: &Authority,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let request = authorized(
            self.http
                .request(method.clone(), format!("{}{path}", self.base)),
            authority,
        )?;
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let response = request.send().await.map_err(unanswered)?;
        self.printer.detail(&format!(
            "{method} {path} as {}: {}",
            authority.label(),
            response.status()
        ));
        understand(response).await
    }
}

fn http_form(url: &str) -> Result<String, Failure> {
    let parsed = url::Url::parse(url)
        .map_err(|error| Failure::usage(format!("{url:?} is no URL")).caused_by(error))?;
    let scheme = match parsed.scheme() {
        "http" | "ws" => "http",
        "https" | "wss" => "https",
        other => {
            return Err(Failure::usage(format!(
                "{url:?} is no server's URL: {other:?} is neither http nor https"
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
        Authority::Token(who) => request.bearer_auth(who.token()?),
        Authority::ApiKey(key) => request.header("x-api-key", key),
    })
}

fn unanswered(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    if error.is_timeout() && !error.is_connect() {
        return Failure::new(Exit::TimedOut, "the server did not answer in time").caused_by(error);
    }
    Failure::unreachable(error)
}

async fn understand(response: Response) -> Result<Answer, Failure> {
    let status = response.status();
    let body = response.text().await.map_err(unanswered)?;
    let parsed: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
    if !status.is_success() {
        return Err(refusal(status.as_u16(), &parsed));
    }
    let data = parsed.get("data").cloned().unwrap_or(Value::Null);
    Ok(Answer {
        status: status.as_u16(),
        data,
    })
}

/// A refusal in the server's words: title or detail, code, and the fields that are wrong.
fn refusal(status: u16, problem: &Value) -> Failure {
    let text = |member: &str| problem.get(member).and_then(Value::as_str);
    let words = text("detail")
        .or_else(|| text("message"))
        .or_else(|| text("title"))
        .unwrap_or("no reason given");
    let code = text("code")
        .map(|code| format!(" ({code})"))
        .unwrap_or_default();
    let fields = problem
        .get("errors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let untold = fields.filter_map(|field| field_text(field, words));
    let fields: String = untold.map(|field| format!("; {field}")).collect();
    let exit = match status {
        401 => Exit::Unauthenticated,
        403 => Exit::Denied,
        _ => Exit::Failed,
    };
    let failure = Failure::new(exit, format!("HTTP {status}{code}: {words}{fields}"));
    match text("requestId").filter(|id| status >= 500 && !id.is_empty()) {
        Some(id) => failure.hint(format!("the server's log knows this request as {id}")),
        None => failure,
    }
}

/// What is wrong with one field, unless the refusal has said so already.
fn field_text(error: &Value, words: &str) -> Option<String> {
    let text = |member: &str| {
        error
            .get(member)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    (!words.contains(text("message"))).then(|| format!("{} {}", text("pointer"), text("message")))
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
    fn a_refusal_is_told_in_the_servers_words() {
        let problem = json!({
            "title": "Unprocessable", "detail": "The body is not an order.", "code": "invalid_body", "requestId": "r1",
            "errors": [{"pointer": "/items/0/price", "message": "must be positive"}],
        });
        insta::assert_snapshot!(
            check(422, problem, Exit::Failed),
            @"HTTP 422 (invalid_body): The body is not an order.; /items/0/price must be positive"
        );
        let told = json!({"detail": "/a: must be positive", "errors": [{"pointer": "/a", "message": "must be positive"}]});
        insta::assert_snapshot!(check(422, told, Exit::Failed), @"HTTP 422: /a: must be positive");
        insta::assert_snapshot!(check(502, json!(null), Exit::Failed), @"HTTP 502: no reason given");
    }

    #[test]
    fn who_you_are_and_what_you_may_are_told_apart() {
        check(401, json!({}), Exit::Unauthenticated);
        check(403, json!({}), Exit::Denied);
    }

    #[test]
    fn a_websocket_url_serves_for_rest_too() {
        assert_eq!(
            http_form("wss://a.example/shop/").unwrap(),
            "https://a.example/shop"
        );
        assert_eq!(
            http_form("http://localhost:5000").unwrap(),
            "http://localhost:5000"
        );
        assert_eq!(http_form("ftp://a").unwrap_err().exit, Exit::Usage);
    }
}
