//! The server's REST interface: sends one request, returns its data or its refusal.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::diagnosis::{Asked, Fault, HttpReply, TokenKind, diagnose, fault_text, request_fault};
use crate::exit::Failure;
use crate::identity::Authority;
use crate::network::Network;
use crate::printer::Printer;
use crate::probe::probe;
use crate::reply_reader::read_reply;
use crate::retry_after::{WaitBudget, wait_for_next};
use crate::terminal::one_line;

/// A response with a status of 2xx.
#[derive(Debug)]
pub(crate) struct ApiResponse {
    pub(crate) status: u16,
    /// The member `data` of the body.
    pub(crate) data: Value,
}

/// A request that may be sent more than once.
#[derive(Debug)]
struct Request<'a> {
    method: Method,
    path: &'a str,
    /// `None` for a request without a token.
    authority: Option<&'a Authority>,
    body: Body<'a>,
    headers: &'a [(String, String)],
}

/// The body of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Body<'a> {
    None,
    Json(&'a Value),
    /// JSON as text, sent byte by byte as it is.
    Text(&'a str),
}

impl Body<'_> {
    fn bytes(self) -> usize {
        match self {
            Self::None => 0,
            Self::Json(value) => value.to_string().len(),
            Self::Text(text) => text.len(),
        }
    }
}

/// One request whose answer is wanted whatever it is.
#[derive(Debug, Clone)]
pub(crate) struct Exchange<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    /// `None` for a request without a token.
    pub(crate) authority: Option<&'a Authority>,
    pub(crate) headers: &'a [(String, String)],
    pub(crate) body: Body<'a>,
}

/// A client of a server's REST interface.
#[derive(Debug)]
pub(crate) struct Api<'a> {
    http: reqwest::Client,
    network: &'a Network,
    /// The parts that all requests have in common.
    asked: Asked,
    timeout: Duration,
    printer: Printer,
}

impl<'a> Api<'a> {
    /// Creates a client of the server of `asked`. `timeout` bounds each request.
    pub(crate) fn new(
        network: &'a Network,
        asked: Asked,
        timeout: Duration,
        printer: Printer,
    ) -> Result<Self, Failure> {
        Ok(Self {
            http: network.http(timeout)?,
            network,
            asked,
            timeout,
            printer,
        })
    }

    /// Sends one request. An answer other than 2xx with JSON is a failure that says why. A server
    /// that asks for a moment (429, 503 with `Retry-After`) is asked again after it.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        authority: &Authority,
        body: Option<&Value>,
    ) -> Result<ApiResponse, Failure> {
        if let Authority::Token(_) = authority {
            self.network.check_rest_headers()?;
        }
        let request = Request {
            method,
            path,
            authority: Some(authority),
            body: body.map_or(Body::None, Body::Json),
            headers: &[],
        };
        let budget = WaitBudget::start(self.timeout);
        loop {
            let fault = match self.attempt(&request).await? {
                Ok(response) => return Ok(response),
                Err(fault) => fault,
            };
            let Some(wait) = asked_wait(budget, &fault) else {
                return Err(self.failure(&request, &fault).await);
            };
            let reason = fault_text(&fault);
            wait_for_next(&self.printer, &one_line(&reason), wait).await;
        }
    }

    /// Sends one request, once, and returns its answer whatever its status is.
    ///
    /// # Errors
    /// A failure if there is no whole answer.
    pub(crate) async fn exchange(&self, exchange: Exchange<'_>) -> Result<HttpReply, Failure> {
        let request = Request {
            method: exchange.method,
            path: exchange.path,
            authority: exchange.authority,
            body: exchange.body,
            headers: exchange.headers,
        };
        match self.reply(&request).await? {
            Ok(reply) if reply.is_complete => Ok(reply),
            Ok(_) => Err(self.failure(&request, &Fault::Cut).await),
            Err(fault) => Err(self.failure(&request, &fault).await),
        }
    }

    /// Returns the failure that an answer is, unless it is one of success.
    pub(crate) async fn refusal(
        &self,
        exchange: &Exchange<'_>,
        reply: HttpReply,
    ) -> Option<Failure> {
        let fault = data(reply).err()?;
        let request = Request {
            method: exchange.method.clone(),
            path: exchange.path,
            authority: exchange.authority,
            body: exchange.body,
            headers: exchange.headers,
        };
        Some(self.failure(&request, &fault).await)
    }

    /// Sends one request, and again after the time that the server asks to wait (429, 503).
    ///
    /// # Errors
    /// A failure if there is no whole answer.
    pub(crate) async fn exchange_patiently(
        &self,
        exchange: Exchange<'_>,
    ) -> Result<HttpReply, Failure> {
        let budget = WaitBudget::start(self.timeout);
        loop {
            let reply = self.exchange(exchange.clone()).await?;
            let Some(wait) = budget.wait(reply.status, reply.wait_to_repeat()) else {
                return Ok(reply);
            };
            let reason = format!("the server answered {}", reply.status);
            wait_for_next(&self.printer, &reason, wait).await;
        }
    }

    /// Sends the request once.
    async fn attempt(&self, request: &Request<'_>) -> Result<Result<ApiResponse, Fault>, Failure> {
        Ok(self.reply(request).await?.and_then(data))
    }

    async fn reply(&self, request: &Request<'_>) -> Result<Result<HttpReply, Fault>, Failure> {
        let Request { method, path, .. } = request;
        let url = format!("{}{path}", self.asked.base);
        let mut sent = self.http.request(method.clone(), url);
        if let Some(authority) = request.authority {
            sent = authorized(sent, authority)?;
        }
        for (name, value) in request.headers {
            sent = sent.header(name, value);
        }
        sent = match request.body {
            Body::None => sent,
            Body::Json(value) => sent.json(value),
            Body::Text(text) => sent
                .header(CONTENT_TYPE, "application/json")
                .body(text.to_owned()),
        };
        let response = match sent.send().await {
            Ok(response) => response,
            Err(error) => return Ok(Err(request_fault(&error.without_url(), self.timeout))),
        };
        let by = request.authority.map_or("nobody", Authority::label);
        let status = response.status();
        self.printer
            .detail(&format!("{method} {path} as {by}: {status}"));
        Ok(Ok(read_reply(response).await))
    }

    async fn failure(&self, request: &Request<'_>, fault: &Fault) -> Failure {
        let asked = Asked {
            path: request.path.to_owned(),
            token: request
                .authority
                .map_or(TokenKind::None, Authority::token_kind),
            ..self.asked.clone()
        };
        let probed = probe(self.network, &asked, fault).await;
        let failure = Failure::from(diagnose(&asked, fault, &probed));
        match fault {
            Fault::Reply(reply) if reply.status == 413 => failure.hint(request.size()).status(413),
            Fault::Reply(reply) => failure.status(reply.status),
            _ => failure,
        }
    }
}

impl Request<'_> {
    /// Returns the size of the body as advice for a server that refuses it.
    fn size(&self) -> String {
        let bytes = self.body.bytes();
        format!("the body has {bytes} bytes: send a smaller payload. A METAIA server takes 64 KiB")
    }
}

/// Returns the time that the server asks to wait before the next attempt.
fn asked_wait(budget: WaitBudget, fault: &Fault) -> Option<Duration> {
    match fault {
        Fault::Reply(reply) => budget.wait(reply.status, reply.wait_to_repeat()),
        _ => None,
    }
}

fn authorized(request: RequestBuilder, authority: &Authority) -> Result<RequestBuilder, Failure> {
    Ok(match authority {
        Authority::Token(identity) => request.bearer_auth(identity.token()?),
        Authority::ApiKey(key) => request.header("x-api-key", key),
    })
}

/// Returns the data of an answer with the status 2xx. A page of another program is no such answer.
fn data(reply: HttpReply) -> Result<ApiResponse, Fault> {
    if !(200..300).contains(&reply.status) {
        return Err(Fault::Reply(reply));
    }
    if !reply.is_complete {
        return Err(Fault::Cut);
    }
    if reply.body.is_empty() {
        return Ok(ApiResponse {
            status: reply.status,
            data: Value::Null,
        });
    }
    match serde_json::from_str::<Value>(&reply.body) {
        Ok(body) => Ok(ApiResponse {
            status: reply.status,
            data: body.get("data").cloned().unwrap_or(Value::Null),
        }),
        Err(_) => Err(Fault::Reply(reply)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> HttpReply {
        HttpReply {
            status,
            headers: Vec::new(),
            body: body.to_owned(),
            is_complete: true,
            read_at: 0,
        }
    }

    #[test]
    fn an_answer_has_data_or_none() {
        let answer = data(reply(201, r#"{"data":{"n":1}}"#)).unwrap();
        assert_eq!((answer.status, &answer.data["n"]), (201, &Value::from(1)));
        assert_eq!(data(reply(202, "{}")).unwrap().data, Value::Null);
        assert_eq!(data(reply(204, "")).unwrap().data, Value::Null);
    }

    #[test]
    fn a_page_is_no_data_and_a_cut_answer_is_none_either() {
        let page = reply(200, "<html>");
        assert_eq!(data(page.clone()).unwrap_err(), Fault::Reply(page));
        let cut = HttpReply {
            is_complete: false,
            ..reply(200, "{}")
        };
        assert_eq!(data(cut).unwrap_err(), Fault::Cut);
    }
}
