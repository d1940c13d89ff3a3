//! HTTP long polling: one GET always waits at the server, and each write is a POST.

use std::collections::VecDeque;

use futures_util::{FutureExt as _, future::BoxFuture};
use http::{StatusCode, header::CONTENT_TYPE};
use url::Url;

use super::{
    TransportError,
    endpoint::{Endpoint, http_error},
    error_chain,
};
use crate::client::{
    error::ConnectError,
    packet::{EnginePacket, Handshake, decode_payload, encode_payload},
    server_date::ServerDate,
};

/// The largest polling answer, as a multiple of the largest message.
const MAX_MESSAGES_PER_ANSWER: usize = 4;

pub(crate) struct Polling {
    http: reqwest::Client,
    endpoint: Endpoint,
    url: Url,
    max_payload: usize,
    inbox: VecDeque<EnginePacket>,
    /// The GET that waits at the server. It is kept here, so that dropping [`fill`](Self::fill)
    /// does not end it.
    waiting: Option<BoxFuture<'static, Result<Vec<EnginePacket>, TransportError>>>,
}

impl Polling {
    /// Opens a session. The packets that came with the handshake are in the inbox.
    pub(crate) async fn connect(endpoint: &Endpoint) -> Result<(Self, Handshake), ConnectError> {
        let http = endpoint.http()?;
        let url = endpoint.url("polling", None);
        let (answer, date) = get(http.clone(), endpoint.clone(), url)
            .await
            .map_err(GetError::into_connect_error)?;
        let packets =
            decode_payload(&answer).map_err(|error| ConnectError::Protocol(error_chain(&error)))?;
        let mut inbox = VecDeque::from(packets);
        let Some(EnginePacket::Open(json)) = inbox.pop_front() else {
            return Err(ConnectError::Protocol(
                "the first packet does not open a session".to_owned(),
            ));
        };
        let mut handshake = Handshake::decode(&json)
            .map_err(|error| ConnectError::Protocol(error_chain(&error)))?;
        handshake.date = date;
        let polling = Self {
            http,
            url: endpoint.url("polling", Some(&handshake.sid)),
            endpoint: endpoint.clone(),
            max_payload: handshake.max_payload.unwrap_or(usize::MAX),
            inbox,
            waiting: None,
        };
        Ok((polling, handshake))
    }

    pub(crate) fn pop(&mut self) -> Option<EnginePacket> {
        self.inbox.pop_front()
    }

    /// Returns whether no packet is in the inbox.
    pub(crate) fn is_empty(&self) -> bool {
        self.inbox.is_empty()
    }

    /// Returns whether a GET waits at the server.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Waits for packets and adds them to the inbox. Cancel safe: the GET continues, and the next
    /// call waits for it.
    pub(crate) async fn fill(&mut self) -> Result<(), TransportError> {
        let waiting = self.waiting.get_or_insert_with(|| {
            poll(self.http.clone(), self.endpoint.clone(), self.url.clone()).boxed()
        });
        let answer = waiting.await;
        self.waiting = None;
        self.inbox.extend(answer?);
        Ok(())
    }

    /// Writes the packets in as few requests as the server's limit allows, in order.
    pub(crate) fn send(
        &self,
        packets: &[EnginePacket],
    ) -> impl Future<Output = Result<(), TransportError>> + Send + use<> {
        let batches = batches(packets, self.max_payload);
        let requests: Vec<_> = batches
            .into_iter()
            .map(|batch| self.post(encode_payload(batch)))
            .collect();
        async move {
            for request in requests {
                check_write(request.send().await)?;
            }
            Ok(())
        }
    }

    fn post(&self, body: String) -> reqwest::RequestBuilder {
        let request = self
            .http
            .post(self.url.clone())
            .headers(self.endpoint.headers.clone());
        request
            .header(CONTENT_TYPE, "text/plain;charset=UTF-8")
            .body(body)
    }
}

/// Cuts the packets into batches whose payloads have at most `max` bytes. A single packet may be
/// longer.
fn batches(packets: &[EnginePacket], max: usize) -> Vec<&[EnginePacket]> {
    let mut out = Vec::new();
    let mut from = 0;
    let mut length = 0;
    for (index, packet) in packets.iter().enumerate() {
        // One byte more, for the separator.
        let size = packet.encode().len() + 1;
        if length + size > max && index > from {
            out.push(&packets[from..index]);
            from = index;
            length = 0;
        }
        length += size;
    }
    out.push(&packets[from..]);
    out
}

/// The reason why a GET returned no payload.
enum GetError {
    Http(Box<ConnectError>, u16),
    Io(reqwest::Error),
    TooLong,
}

impl GetError {
    fn into_connect_error(self) -> ConnectError {
        match self {
            Self::Http(error, _) => *error,
            Self::Io(error) => ConnectError::Unreachable(Box::new(error.without_url())),
            Self::TooLong => ConnectError::Protocol("the answer is too long".to_owned()),
        }
    }

    fn into_transport_error(self) -> TransportError {
        TransportError::Closed(match self {
            Self::Http(_, status) => format!("the server answered a poll with HTTP {status}"),
            Self::Io(error) => error_chain(&error.without_url()),
            Self::TooLong => "a polling answer is too long".to_owned(),
        })
    }
}

fn check_write(answer: reqwest::Result<reqwest::Response>) -> Result<(), TransportError> {
    match answer {
        Ok(answer) if answer.status() == StatusCode::OK => Ok(()),
        Ok(answer) => Err(TransportError::Closed(format!(
            "the server answered a write with HTTP {}",
            answer.status().as_u16()
        ))),
        Err(error) => Err(TransportError::Closed(error_chain(&error.without_url()))),
    }
}

async fn poll(
    http: reqwest::Client,
    endpoint: Endpoint,
    url: Url,
) -> Result<Vec<EnginePacket>, TransportError> {
    let (body, _date) = get(http, endpoint, url)
        .await
        .map_err(GetError::into_transport_error)?;
    Ok(decode_payload(&body)?)
}

/// Returns the body of an answer with the status 200, and the server's clock.
async fn get(
    http: reqwest::Client,
    endpoint: Endpoint,
    url: Url,
) -> Result<(String, Option<ServerDate>), GetError> {
    let limit = endpoint.max_message.saturating_mul(MAX_MESSAGES_PER_ANSWER);
    let mut answer = http
        .get(url)
        .headers(endpoint.headers)
        .send()
        .await
        .map_err(GetError::Io)?;
    let date = ServerDate::now(answer.headers());
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(GetError::Io)? {
        if body.len() + chunk.len() > limit {
            return Err(GetError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    if answer.status() != StatusCode::OK {
        let status = answer.status().as_u16();
        return Err(GetError::Http(
            Box::new(http_error(status, answer.headers(), &body, true)),
            status,
        ));
    }
    Ok((String::from_utf8_lossy(&body).into_owned(), date))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn messages(lengths: &[usize]) -> Vec<EnginePacket> {
        lengths
            .iter()
            .map(|length| EnginePacket::Message("x".repeat(*length)))
            .collect()
    }

    proptest! {
        #[test]
        fn no_batch_is_longer_than_allowed(
            lengths in proptest::collection::vec(0usize..20, 1..20),
            max in 1usize..50,
        ) {
            let packets = messages(&lengths);
            let batches = batches(&packets, max);
            prop_assert_eq!(batches.concat(), packets.clone());
            for batch in batches {
                prop_assert!(batch.len() == 1 || encode_payload(batch).len() <= max);
            }
        }
    }
}
