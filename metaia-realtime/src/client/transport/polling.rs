//! HTTP long polling: one GET always waits at the server, and each write is a POST.

use std::collections::VecDeque;

use futures_util::{FutureExt as _, future::BoxFuture};
use http::{StatusCode, header::CONTENT_TYPE};
use reqwest::Response;
use url::Url;

use super::{
    MAX_HANDSHAKE_BYTES, TransportError,
    endpoint::{Endpoint, http_error},
    error_chain, max_kept,
};
use crate::client::{
    error::ConnectError,
    packet::{EnginePacket, Handshake, PayloadReader, decode_payload, encode_payload},
    server_date::ServerDate,
};

pub(crate) struct Polling {
    http: reqwest::Client,
    endpoint: Endpoint,
    url: Url,
    max_payload: usize,
    inbox: VecDeque<EnginePacket>,
    /// The GET that waits at the server, or whose answer is being read. It is kept here, so that
    /// dropping [`fill`](Self::fill) does not end it.
    request: Option<PollRequest>,
}

/// The progress of one GET.
enum PollRequest {
    /// The server has not answered.
    Waiting(BoxFuture<'static, Result<Response, TransportError>>),
    /// The answer is being read. Its packets go to the application one chunk after the other, so
    /// that the answer may be of any length.
    Reading(Box<Response>, PayloadReader),
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
            request: None,
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

    /// Returns whether a GET has not ended.
    pub(crate) fn is_polling(&self) -> bool {
        self.request.is_some()
    }

    /// Waits for the answer to a GET or for the next part of it, and adds the packets that have
    /// arrived to the inbox. Cancel safe: the GET continues, and the next call waits for it.
    pub(crate) async fn fill(&mut self) -> Result<(), TransportError> {
        let request = self.request.get_or_insert_with(|| {
            let answer = poll(self.http.clone(), self.endpoint.clone(), self.url.clone());
            PollRequest::Waiting(answer.boxed())
        });
        match request {
            PollRequest::Waiting(answer) => {
                let answer = answer.await;
                self.request = None;
                let reader = PayloadReader::new(max_kept(&self.endpoint));
                self.request = Some(PollRequest::Reading(Box::new(answer?), reader));
                Ok(())
            }
            PollRequest::Reading(answer, reader) => {
                let chunk = answer.chunk().await.map_err(closed)?;
                match chunk {
                    Some(chunk) => self.inbox.extend(reader.read(&chunk)?),
                    None => self.finish()?,
                }
                Ok(())
            }
        }
    }

    /// Adds the last packet of an answer that has been read to its end.
    fn finish(&mut self) -> Result<(), TransportError> {
        if let Some(PollRequest::Reading(_, reader)) = self.request.take() {
            self.inbox.push_back(reader.finish()?);
        }
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
    Http(Box<ConnectError>),
    Io(reqwest::Error),
    TooLong,
}

impl GetError {
    fn into_connect_error(self) -> ConnectError {
        match self {
            Self::Http(error) => *error,
            Self::Io(error) => ConnectError::Unreachable(Box::new(error.without_url())),
            Self::TooLong => ConnectError::Protocol("the answer is too long".to_owned()),
        }
    }
}

fn check_write(answer: reqwest::Result<Response>) -> Result<(), TransportError> {
    match answer {
        Ok(answer) if answer.status() == StatusCode::OK => Ok(()),
        Ok(answer) => Err(TransportError::Closed(format!(
            "the server answered a write with HTTP {}",
            answer.status().as_u16()
        ))),
        Err(error) => Err(closed(error)),
    }
}

fn closed(error: reqwest::Error) -> TransportError {
    TransportError::Closed(error_chain(&error.without_url()))
}

async fn poll(
    http: reqwest::Client,
    endpoint: Endpoint,
    url: Url,
) -> Result<Response, TransportError> {
    let answer = http.get(url).headers(endpoint.headers).send().await;
    let answer = answer.map_err(closed)?;
    match answer.status() {
        StatusCode::OK => Ok(answer),
        status => Err(TransportError::Closed(format!(
            "the server answered a poll with HTTP {}",
            status.as_u16()
        ))),
    }
}

/// Returns the whole answer to the first GET, which opens the session, and the server's clock.
async fn get(
    http: reqwest::Client,
    endpoint: Endpoint,
    url: Url,
) -> Result<(String, Option<ServerDate>), GetError> {
    let mut answer = http
        .get(url)
        .headers(endpoint.headers)
        .send()
        .await
        .map_err(GetError::Io)?;
    let date = ServerDate::now(answer.headers());
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(GetError::Io)? {
        if body.len() + chunk.len() > MAX_HANDSHAKE_BYTES {
            return Err(GetError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    if answer.status() != StatusCode::OK {
        let status = answer.status().as_u16();
        let error = http_error(status, answer.headers(), &body, true);
        return Err(GetError::Http(Box::new(error)));
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
