//! The server's REST interface: sends one request, returns its data or its refusal.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::contexts::Protection;
use crate::diagnosis::{Asked, Fault, HttpReply, TokenKind, diagnose, fault_text, request_fault};
use crate::exit::{Exit, Failure};
use crate::identity::Authority;
use crate::network::Network;
use crate::printer::Printer;
use crate::probe::probe;
use crate::provider::{SignedWebhook, WEBHOOK_PATH};
use crate::reply_reader::{is_too_large, read_reply};
use crate::retry_after::{WaitBudget, wait_for_next};
use crate::terminal::one_line;

/// A response with a status of 2xx.
#[derive(Debug)]
pub(crate) struct ApiResponse {
    /// The member `data` of the body.
    pub(crate) data: Value,
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

/// One request, which may be sent more than once.
#[derive(Debug, Clone)]
pub(crate) struct Exchange<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    /// `None` for a request without a token.
    pub(crate) authority: Option<&'a Authority>,
    pub(crate) headers: &'a [(String, String)],
    pub(crate) body: Body<'a>,
}

impl<'a> Exchange<'a> {
    /// Returns the delivery of a webhook of the payment provider, which has no token.
    pub(crate) fn webhook(webhook: &'a SignedWebhook) -> Self {
        Self {
            method: Method::POST,
            path: WEBHOOK_PATH,
            authority: None,
            headers: &webhook.headers,
            body: Body::Text(&webhook.body),
        }
    }
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
    /// Present if nothing may be written.
    protection: Option<Protection>,
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
            protection: None,
        })
    }

    /// Refuses requests that write, if there is a protection.
    pub(crate) fn protected(self, protection: Option<Protection>) -> Self {
        Self { protection, ..self }
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
        let exchange = Exchange {
            method,
            path,
            authority: Some(authority),
            headers: &[],
            body: body.map_or(Body::None, Body::Json),
        };
        match self.patiently(&exchange).await?.and_then(data) {
            Ok(response) => Ok(response),
            Err(fault) => Err(self.failure(&exchange, &fault).await),
        }
    }

    /// Sends one request, once, and returns its answer whatever its status is.
    ///
    /// # Errors
    /// A failure if there is no whole answer.
    pub(crate) async fn exchange(&self, exchange: Exchange<'_>) -> Result<HttpReply, Failure> {
        let reply = self.reply(&exchange).await?;
        self.whole(&exchange, reply).await
    }

    /// Sends one request, and again after the time that the server asks to wait (429, 503).
    ///
    /// # Errors
    /// A failure if there is no whole answer.
    pub(crate) async fn exchange_patiently(
        &self,
        exchange: Exchange<'_>,
    ) -> Result<HttpReply, Failure> {
        let reply = self.patiently(&exchange).await?;
        self.whole(&exchange, reply).await
    }

    /// Returns the failure that an answer is, unless it is one of success.
    pub(crate) async fn refusal(
        &self,
        exchange: &Exchange<'_>,
        reply: HttpReply,
    ) -> Option<Failure> {
        let fault = data(reply).err()?;
        Some(self.failure(exchange, &fault).await)
    }

    /// Sends the request until the server does not ask for a moment, or the time for that is over.
    async fn patiently(
        &self,
        exchange: &Exchange<'_>,
    ) -> Result<Result<HttpReply, Fault>, Failure> {
        let budget = WaitBudget::start(self.timeout);
        loop {
            let reply = match self.reply(exchange).await? {
                Ok(reply) => reply,
                fault => return Ok(fault),
            };
            let Some(wait) = budget.wait(reply.status, reply.wait_to_repeat()) else {
                return Ok(Ok(reply));
            };
            let reason = fault_text(&Fault::Reply(reply));
            wait_for_next(&self.printer, &one_line(&reason), wait).await;
        }
    }

    /// Returns an answer that came to its end.
    async fn whole(
        &self,
        exchange: &Exchange<'_>,
        reply: Result<HttpReply, Fault>,
    ) -> Result<HttpReply, Failure> {
        match reply {
            Ok(reply) if reply.is_complete => Ok(reply),
            Ok(_) => Err(self.failure(exchange, &Fault::Cut).await),
            Err(fault) => Err(self.failure(exchange, &fault).await),
        }
    }

    async fn reply(&self, request: &Exchange<'_>) -> Result<Result<HttpReply, Fault>, Failure> {
        let Exchange { method, path, .. } = request;
        self.permit(request)?;
        let url = format!("{}{path}", self.asked.base);
        let mut sent = self.http.request(method.clone(), url);
        if let Some(authority) = request.authority {
            if let Authority::Token(_) = authority {
                self.network.check_rest_headers()?;
            }
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
        let reply = match read_reply(response, self.timeout).await {
            Ok(reply) => reply,
            Err(fault) => return Ok(Err(fault)),
        };
        if is_too_large(&reply) {
            return Err(too_large());
        }
        Ok(Ok(reply))
    }

    /// Refuses a request that writes. Commands that write are refused before this; here, no request
    /// gets past that is not known as one.
    fn permit(&self, request: &Exchange<'_>) -> Result<(), Failure> {
        let Exchange { method, path, .. } = request;
        let is_read =
            matches!(*method, Method::GET | Method::HEAD) && matches!(request.body, Body::None);
        match &self.protection {
            Some(protection) if !is_read => Err(protection.refusal(&format!("{method} {path}"))),
            _ => Ok(()),
        }
    }

    async fn failure(&self, request: &Exchange<'_>, fault: &Fault) -> Failure {
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
            // A proxy has a limit of its own, and the diagnosis names it.
            Fault::Reply(reply) if reply.status == 413 && failure.hint.is_none() => {
                failure.hint(request.size()).status(413)
            }
            Fault::Reply(reply) => failure.status(reply.status),
            _ => failure,
        }
    }
}

impl Exchange<'_> {
    /// Returns the size of the body as advice for a server that refuses it.
    fn size(&self) -> String {
        let bytes = self.body.bytes();
        format!("the body has {bytes} bytes: send a smaller payload. A METAIA server takes 64 KiB")
    }
}

/// Returns the failure of an answer of which the rest was not read.
fn too_large() -> Failure {
    Failure::new(Exit::Unreachable, "the answer is larger than 8 MiB")
        .hint("METAIA's answers are smaller: check that this is the address of a METAIA server")
        .of_server()
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
        return Ok(ApiResponse { data: Value::Null });
    }
    match serde_json::from_str::<Value>(&reply.body) {
        Ok(body) => Ok(ApiResponse {
            data: body.get("data").cloned().unwrap_or(Value::Null),
        }),
        Err(_) => Err(Fault::Reply(reply)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::Via;
    use crate::printer::{Color, Format};

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
        assert_eq!(answer.data["n"], 1);
        assert_eq!(data(reply(202, "{}")).unwrap().data, Value::Null);
        assert_eq!(data(reply(204, "")).unwrap().data, Value::Null);
    }

    #[tokio::test]
    async fn only_reads_leave_a_protected_client() {
        let network = Network::plain();
        let asked = Asked {
            // Nothing listens there.
            base: "http://127.0.0.1:1".to_owned(),
            path: String::new(),
            via: Via::Rest,
            token: TokenKind::None,
            has_token_in_header_alone: true,
            origin: None,
            has_own_certificates: false,
            proxy: None,
        };
        let printer = Printer::new(Format::Text, Color::Never, true, false);
        let api = Api::new(&network, asked, Duration::from_secs(1), printer).unwrap();
        let protection = Protection::new(&"production".parse().unwrap(), "http://h".to_owned());
        let api = api.protected(Some(protection));
        for (method, body, exit) in [
            (Method::GET, Body::None, Exit::Unreachable),
            (Method::HEAD, Body::None, Exit::Unreachable),
            (Method::GET, Body::Text("{}"), Exit::Usage),
            (Method::POST, Body::None, Exit::Usage),
            (Method::PUT, Body::None, Exit::Usage),
            (Method::DELETE, Body::None, Exit::Usage),
            (Method::PATCH, Body::None, Exit::Usage),
            (Method::OPTIONS, Body::None, Exit::Usage),
        ] {
            let exchange = Exchange {
                method: method.clone(),
                path: "/x",
                authority: None,
                headers: &[],
                body,
            };
            let failure = api.exchange(exchange).await.unwrap_err();
            assert_eq!(failure.exit, exit, "{method}: {}", failure.chain());
        }
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
