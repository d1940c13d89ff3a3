//! The requests of clients that poll: the handshake and polls. Their [`post`](super::post)s come
//! in between.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body::Body;
use http_body_util::{BodyExt as _, Empty};
use tokio::time::Instant;
use tower::ServiceExt as _;

use super::{
    body::{HandshakeObserver, ObservedBody, PollObserver, ResponseObserver},
    description::client_of,
    engine::Engine,
    engine_error::EngineError,
    engine_service::{InnerService, PATH},
    handshake::OpeningHandshake,
    link::Link,
    response_body::{BoxBody, full},
};
use crate::{node::ProtocolRefusal, transport::guard::Connection};

/// Separates the packets in a body.
pub(super) const SEPARATOR: char = '\u{1e}';

/// Returns a request for the engine, with what it must know of the client's: the engine holds the
/// headers as long as the session lives.
pub(super) fn engine_request<B>(request: &Request<()>, body: B) -> Request<B> {
    let mut for_engine = Request::new(body);
    *for_engine.method_mut() = request.method().clone();
    *for_engine.uri_mut() = request.uri().clone();
    if let Some(value) = request.headers().get(CONTENT_TYPE) {
        let headers = for_engine.headers_mut();
        headers.insert(CONTENT_TYPE, value.clone());
    }
    for_engine
}

/// Opens a session.
pub(super) async fn open(
    engine: &Arc<Engine>,
    service: InnerService,
    request: &Request<()>,
) -> Response<BoxBody> {
    let opened_at = Instant::now();
    let response = ask(service, engine_request(request, Empty::<Bytes>::new())).await;
    if !response.status().is_success() {
        let counters = engine.node.counters();
        counters.refuse_protocol(ProtocolRefusal::BadRequest, client_of(request));
        return response;
    }
    let observer = ResponseObserver::Handshake(HandshakeObserver {
        engine: Arc::clone(engine),
        opened_at,
        handshake: Some(OpeningHandshake::read(&engine.settings, request)),
    });
    response.map(|body| ObservedBody::new(body, observer).boxed_unsync())
}

/// Answers a poll: with packets as soon as there are some, or with a NOOP if the client waits for
/// one to complete an upgrade.
pub(super) async fn poll(
    engine: &Engine,
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
    record_without_connect(engine, &link);
    if !response.status().is_success() {
        return response;
    }
    let observer = ResponseObserver::Poll(PollObserver::new(link, connection));
    response.map(|body| ObservedBody::new(body, observer).boxed_unsync())
}

/// Records a client that polls, and whose time for CONNECT is over: the engine ends its session.
fn record_without_connect(engine: &Engine, link: &Link) {
    let time = engine.node.limits().unauthenticated;
    if link.opened_at.elapsed() < time || !link.membership.is_new() {
        return;
    }
    // It may poll once more.
    if let Some(client) = link.forget_client() {
        let counters = engine.node.counters();
        counters.refuse_protocol(ProtocolRefusal::NoConnect, client);
    }
}

/// Returns the packets that the engine has for a poll now, without waiting for any, or `None` if it
/// has none.
///
/// A client that has switched to a WebSocket polls no more, and there may be packets that did not
/// fit into the answer to its last poll.
pub(super) fn packets_now(service: InnerService, link: &Link) -> Option<String> {
    // The engine has nothing if a poll waits, and takes a second poll for a mistake.
    if link.read_budget.has_waiting_poll() {
        return None;
    }
    let sid = &link.polling.sid;
    let uri = format!("{PATH}/?EIO=4&transport=polling&sid={sid}");
    let request = Request::get(uri).body(Empty::<Bytes>::new()).ok()?;
    let asked = async {
        let response = ask(service, request).await;
        let is_success = response.status().is_success();
        let body = response.into_body().collect().await.ok()?;
        is_success.then(|| body.to_bytes())
    };
    // The runtime might otherwise tell a task that has done much that there is nothing.
    let packets = tokio::task::unconstrained(asked).now_or_never().flatten()?;
    let packets = String::from_utf8(packets.into()).ok()?;
    (!packets.is_empty()).then_some(packets)
}

fn noop() -> Response<BoxBody> {
    let mut response = Response::new(full("6"));
    let text = HeaderValue::from_static("text/plain; charset=UTF-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}

/// Asks the engine. An error of the engine is answered as the official server does, with a number
/// as its code.
pub(super) async fn ask<B>(service: InnerService, request: Request<B>) -> Response<BoxBody>
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
