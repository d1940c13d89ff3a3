//! The server's REST interface: sends one request, returns its data or its refusal.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::diagnosis::{Asked, Fault, HttpReply, diagnose, fault_text, request_fault};
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
    authority: &'a Authority,
    body: Option<&'a Value>,
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
            authority,
            body,
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

    /// Sends the request once.
    async fn attempt(&self, request: &Request<'_>) -> Result<Result<ApiResponse, Fault>, Failure> {
        let Request { method, path, .. } = request;
        let url = format!("{}{path}", self.asked.base);
        let mut sent = authorized(self.http.request(method.clone(), url), request.authority)?;
        if let Some(body) = request.body {
            sent = sent.json(body);
        }
        let response = match sent.send().await {
            Ok(response) => response,
            Err(error) => return Ok(Err(request_fault(&error.without_url(), self.timeout))),
        };
        let by = request.authority.label();
        let status = response.status();
        self.printer
            .detail(&format!("{method} {path} as {by}: {status}"));
        Ok(data(read_reply(response).await))
    }

    async fn failure(&self, request: &Request<'_>, fault: &Fault) -> Failure {
        let asked = Asked {
            path: request.path.to_owned(),
            token: request.authority.token_kind(),
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
        let bytes = self.body.map_or(0, |body| body.to_string().len());
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
