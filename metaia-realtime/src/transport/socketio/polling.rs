//! The requests of clients that poll: the handshake, polls, and POSTs.
//!
//! At the edges: the body of a POST that is too long, or does not come in time, or that the engine
//! refuses, ends the session, since what it carried is lost.

use std::{fmt, sync::Arc, time::Duration};

use bytes::{Buf as _, Bytes};
use futures_util::FutureExt as _;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use http_body::Body;
use http_body_util::{BodyExt as _, Empty, Full};
use tower::ServiceExt as _;

use super::{
    body::{ObservedBody, PollObserver, ResponseObserver},
    engine::Engine,
    engine_error::EngineError,
    engine_service::{InnerService, PATH},
    inbound_packet::{InboundPacket, PacketKind},
    link::Link,
    membership::Admission,
    response_body::{BoxBody, full},
};
use crate::transport::{deadline::Deadline, guard::Connection};

/// Separates the packets in a body.
pub(super) const SEPARATOR: char = '\u{1e}';

/// Returns a request for the engine, with what it must keep of the client's: the engine holds the
/// headers as long as the session lives.
pub(super) fn engine_request<B>(request: &Request<()>, body: B) -> Request<B> {
    let mut for_engine = Request::new(body);
    *for_engine.method_mut() = request.method().clone();
    *for_engine.uri_mut() = request.uri().clone();
    for name in [AUTHORIZATION, CONTENT_TYPE] {
        if let Some(value) = request.headers().get(&name) {
            for_engine.headers_mut().insert(name, value.clone());
        }
    }
    for_engine
}

/// Opens a session.
pub(super) async fn open(
    engine: &Arc<Engine>,
    service: InnerService,
    request: &Request<()>,
) -> Response<BoxBody> {
    let response = ask(service, engine_request(request, Empty::<Bytes>::new())).await;
    if !response.status().is_success() {
        return response;
    }
    let observer = ResponseObserver::Handshake(Arc::clone(engine));
    response.map(|body| ObservedBody::new(body, observer).boxed_unsync())
}

/// Answers a poll: with packets as soon as there are some, or with a NOOP if the client waits for
/// one to complete an upgrade.
pub(super) async fn poll(
    link: Arc<Link>,
    connection: Option<Connection>,
    service: InnerService,
    request: &Request<()>,
) -> Response<BoxBody> {
    let asked = ask(service, engine_request(request, Empty::<Bytes>::new()));
    let response = tokio::select! {
        biased;
        response = link.read_budget.track_poll(asked) => response,
        // The engine's answer, which is dropped, is not begun: it would be ready otherwise.
        () = link.upgrade.wants_noop() => return noop(),
    };
    if !response.status().is_success() {
        return response;
    }
    let observer = ResponseObserver::Poll(PollObserver::new(link, connection));
    response.map(|body| ObservedBody::new(body, observer).boxed_unsync())
}

/// Returns the packets that the engine has for a poll now, without waiting for any, or `None` if it
/// has none.
///
/// A client that has switched to a WebSocket polls no more, and the engine does not pass to the
/// WebSocket what did not fit into the answer to the last poll.
pub(super) fn packets_now(service: InnerService, link: &Link) -> Option<String> {
    // The engine has nothing if a poll waits, and takes a second poll for a mistake.
    if link.read_budget.has_waiting_poll() {
        return None;
    }
    let uri = format!(
        "{PATH}/?EIO=4&transport=polling&sid={}",
        link.polling_sid()?
    );
    let request = Request::get(uri).body(Empty::<Bytes>::new()).ok()?;
    let asked = async {
        let response = ask(service, request).await;
        let is_success = response.status().is_success();
        let body = response.into_body().collect().await.ok()?;
        is_success.then(|| body.to_bytes())
    };
    let packets = asked.now_or_never().flatten()?;
    let packets = String::from_utf8(packets.into()).ok()?;
    (!packets.is_empty()).then_some(packets)
}

fn noop() -> Response<BoxBody> {
    let mut response = Response::new(full("6"));
    let text = HeaderValue::from_static("text/plain; charset=UTF-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}

/// Passes what a client POSTs to the engine, packet by packet.
pub(super) async fn post<B>(
    engine: &Engine,
    link: &Arc<Link>,
    sid: &str,
    service: InnerService,
    request: Request<()>,
    body: B,
) -> Response<BoxBody>
where
    B: Body + Unpin,
{
    let limits = engine.node.limits();
    let deadline = Deadline::new(body, limits.request_body);
    let bytes = match collect(deadline, limits.message_bytes, link).await {
        Ok(bytes) => bytes,
        Err(status) => {
            engine.service.close_polling(sid);
            return status_only(status);
        }
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        // The engine answers, and ends the session.
        return ask(service, engine_request(&request, Full::new(bytes))).await;
    };
    let posting = Posting {
        link,
        service,
        request,
        max_bytes: limits.message_bytes,
        authentication: limits.unauthenticated * 2,
        batch: String::new(),
    };
    let answer = posting.pass(text).await;
    if !answer.status().is_success() {
        // What the body carried is lost.
        engine.service.close_polling(sid);
    }
    answer
}

/// Returns the whole body, counted while it comes; otherwise the status of the answer.
async fn collect<B>(mut body: B, max_bytes: usize, link: &Link) -> Result<Bytes, StatusCode>
where
    B: Body + Unpin,
{
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        let Ok(mut data) = frame.into_data() else {
            continue;
        };
        link.add_posted(data.remaining());
        if bytes.len() + data.remaining() > max_bytes {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        while data.has_remaining() {
            let count = data.chunk().len();
            bytes.extend_from_slice(data.chunk());
            data.advance(count);
        }
    }
    Ok(bytes.into())
}

/// The packets of one POST on their way to the engine.
struct Posting<'a> {
    link: &'a Link,
    service: InnerService,
    request: Request<()>,
    /// The most bytes that the engine takes at once.
    max_bytes: usize,
    /// The longest time that the engine takes to authenticate a client.
    authentication: Duration,
    /// Packets that the engine does not have yet.
    batch: String,
}

impl Posting<'_> {
    /// Passes the packets in `text`. Returns the engine's answer to the last of them.
    async fn pass(mut self, text: &str) -> Response<BoxBody> {
        for packet in text.split(SEPARATOR) {
            let Some(packet) = InboundPacket::read(packet) else {
                continue;
            };
            if let Err(answer) = self.pass_packet(&packet).await {
                return answer;
            }
        }
        self.flush().await.unwrap_or_else(|answer| answer)
    }

    /// Adds a packet to the batch, in its turn.
    ///
    /// # Errors
    /// Returns the engine's answer if it took no more packets.
    async fn pass_packet(&mut self, packet: &InboundPacket<'_>) -> Result<(), Response<BoxBody>> {
        if packet.kind == PacketKind::Pong {
            self.link.pong();
        }
        loop {
            match self.link.membership.admit(packet.kind) {
                Admission::Drop => return Ok(()),
                Admission::Pass => break,
                Admission::Wait => self.wait(packet.kind).await?,
            }
        }
        // The engine counts the separators, too.
        if self.batch.len() + packet.text.len() >= self.max_bytes {
            self.flush().await?;
        }
        if !self.batch.is_empty() {
            self.batch.push(SEPARATOR);
        }
        self.batch.push_str(&packet.text);
        Ok(())
    }

    /// Waits until a packet of this kind may have its turn.
    async fn wait(&mut self, kind: PacketKind) -> Result<(), Response<BoxBody>> {
        self.flush().await?;
        let settled = self.link.membership.settled(kind);
        tokio::time::timeout(self.authentication, settled)
            .await
            .map_err(|_| EngineError::UnknownSession.into_response())
    }

    /// Passes the batch to the engine, and returns its answer.
    ///
    /// # Errors
    /// Returns the answer if it is a refusal.
    async fn flush(&mut self) -> Result<Response<BoxBody>, Response<BoxBody>> {
        let batch = std::mem::take(&mut self.batch);
        let request = engine_request(&self.request, Full::<Bytes>::from(batch));
        let answer = ask(self.service.clone(), request).await;
        if answer.status().is_success() {
            Ok(answer)
        } else {
            Err(answer)
        }
    }
}

fn status_only(status: StatusCode) -> Response<BoxBody> {
    let mut response = Response::new(full(""));
    *response.status_mut() = status;
    response
}

/// Asks the engine. An error of the engine is answered as the official server does, with a number
/// as its code.
async fn ask<B>(service: InnerService, request: Request<B>) -> Response<BoxBody>
where
    B: Body<Data = Bytes> + Send + Unpin + fmt::Debug + 'static,
    B::Error: fmt::Debug,
{
    let response = match service.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let response = response.map(|body| body.map_err(Into::into).boxed_unsync());
    if response.status() != StatusCode::BAD_REQUEST {
        return response;
    }
    let is_document = response.headers().contains_key(CONTENT_TYPE);
    if !is_document {
        return response;
    }
    // The session is gone, or is a WebSocket by now.
    let body = response.into_body().collect().await;
    let body = body
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let is_unknown = body.windows(7).any(|part| part == b"unknown");
    if is_unknown {
        EngineError::UnknownSession.into_response()
    } else {
        EngineError::BadRequest.into_response()
    }
}
