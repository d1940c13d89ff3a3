//! The server's REST interface: sends one request, returns its data or its refusal.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::diagnosis::{Asked, HttpReply, Trouble, diagnose, request_trouble};
use crate::exit::Failure;
use crate::identity::Authority;
use crate::network::Network;
use crate::printer::Printer;
use crate::reply_reader::read_reply;
use crate::second_look::second_look;

/// A response with a status of 2xx.
#[derive(Debug)]
pub(crate) struct ApiResponse {
    pub(crate) status: u16,
    /// The member `data` of the body.
    pub(crate) data: Value,
}

/// A client of a server's REST interface.
#[derive(Debug)]
pub(crate) struct Api<'a> {
    http: reqwest::Client,
    network: &'a Network,
    /// What every request has in common.
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

    /// Sends one request. An answer other than 2xx with JSON is a failure that says why.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        authority: &Authority,
        body: Option<&Value>,
    ) -> Result<ApiResponse, Failure> {
        let url = format!("{}{path}", self.asked.base);
        if let Authority::Token(_) = authority {
            self.network.check_rest_headers()?;
        }
        let mut request = authorized(self.http.request(method.clone(), url), authority)?;
        if let Some(body) = body {
            request = request.json(body);
        }
        let asked = Asked {
            path: path.to_owned(),
            token: authority.token_kind(),
            ..self.asked.clone()
        };
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let trouble = request_trouble(&error.without_url(), self.timeout);
                return Err(self.failure(&asked, &trouble).await);
            }
        };
        let by = authority.label();
        let status = response.status();
        self.printer
            .detail(&format!("{method} {path} as {by}: {status}"));
        match data(read_reply(response).await) {
            Ok(response) => Ok(response),
            Err(trouble) => Err(self.failure(&asked, &trouble).await),
        }
    }

    async fn failure(&self, asked: &Asked, trouble: &Trouble) -> Failure {
        let second = second_look(self.network, asked, trouble).await;
        let failure = Failure::from(diagnose(asked, trouble, &second));
        match trouble {
            Trouble::Reply(reply) => failure.status(reply.status),
            _ => failure,
        }
    }
}

fn authorized(request: RequestBuilder, authority: &Authority) -> Result<RequestBuilder, Failure> {
    Ok(match authority {
        Authority::Token(identity) => request.bearer_auth(identity.token()?),
        Authority::ApiKey(key) => request.header("x-api-key", key),
    })
}

/// Returns the data of an answer with the status 2xx. A page of another program is no such answer.
fn data(reply: HttpReply) -> Result<ApiResponse, Trouble> {
    if !(200..300).contains(&reply.status) {
        return Err(Trouble::Reply(reply));
    }
    if !reply.is_complete {
        return Err(Trouble::Cut);
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
        Err(_) => Err(Trouble::Reply(reply)),
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
        assert_eq!(data(page.clone()).unwrap_err(), Trouble::Reply(page));
        let cut = HttpReply {
            is_complete: false,
            ..reply(200, "{}")
        };
        assert_eq!(data(cut).unwrap_err(), Trouble::Cut);
    }
}
