//! Takes the WebSocket of an upgrade from HTTP, and hands it to the engine.

use std::{future::Future, sync::Arc};

use http::{Request, Response};
use hyper_util::rt::TokioIo;
use tower_service::Service as _;

use super::{handshake, stream::EngineStream, upgrade::UpgradeAttempt};
use crate::session::EndReason;
use crate::transport::{
    guard::{Connection, Observer as _},
    socketio::{
        engine::Engine,
        engine_error::EngineError,
        engine_service::InnerService,
        link::Link,
        polling::{SEPARATOR, engine_request, packets_now},
        response_body::{BoxBody, full},
    },
};

/// A request for a WebSocket, and what the WebSocket is for.
pub(in super::super) struct WebSocketRequest<'a> {
    pub(in super::super) engine: &'a Engine,
    pub(in super::super) service: InnerService,
    pub(in super::super) link: Arc<Link>,
    pub(in super::super) connection: Option<Connection>,
}

type UpgradedIo = TokioIo<hyper::upgrade::Upgraded>;

impl WebSocketRequest<'_> {
    /// Answers a request that upgrades a polling session.
    pub(in super::super) fn upgrade(self, request: &mut Request<()>) -> Response<BoxBody> {
        let Self {
            engine,
            service,
            link,
            connection,
        } = self;
        let node = Arc::clone(&engine.node);
        let Some(attempt) = UpgradeAttempt::begin(&link) else {
            return EngineError::BadRequest.into_response();
        };
        let for_engine = engine_request(request, ());
        open(engine, request, move |mut websocket| async move {
            link.attempt(connection.as_ref());
            let limits = node.limits();
            let probed = attempt.probe(&mut websocket, limits.message_bytes).await;
            let Some(reader) = probed else {
                return;
            };
            link.upgraded(connection.as_ref());
            let mut stream = EngineStream::upgraded(websocket, Arc::clone(&link), reader, limits);
            if write_kept_back(&service, &link, &mut stream).await.is_err() {
                // The packets have left the engine.
                link.lose(EndReason::TransportLost);
                return;
            }
            hand_over(service, stream, for_engine);
            attempt.complete();
        })
    }
}

/// Answers the request, and gives the WebSocket to `take` in a task of its own.
fn open<T, F>(engine: &Engine, request: &mut Request<()>, take: T) -> Response<BoxBody>
where
    T: FnOnce(UpgradedIo) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let response = match handshake::answer(request) {
        Ok(response) => response,
        Err(bad) => return bad.into_response(),
    };
    let upgrade = hyper::upgrade::on(request);
    let taking = async move {
        if let Ok(upgraded) = upgrade.await {
            take(TokioIo::new(upgraded)).await;
        }
    };
    let stopping = engine.node.stopping().clone();
    engine
        .node
        .tasks()
        .spawn(stopping.run_until_cancelled_owned(taking));
    response.map(|()| full(""))
}

/// Writes the packets that the engine has kept back for the next poll.
async fn write_kept_back<S>(
    service: &InnerService,
    link: &Link,
    stream: &mut EngineStream<S>,
) -> std::io::Result<()>
where
    S: tokio::io::AsyncWrite + Unpin,
{
    while let Some(packets) = packets_now(service.clone(), link) {
        for packet in packets.split(SEPARATOR) {
            stream.write_packet(packet).await?;
        }
    }
    Ok(())
}

/// Hands a WebSocket to the engine, which serves it in tasks of its own.
fn hand_over<S>(mut service: InnerService, stream: EngineStream<S>, request: Request<()>)
where
    EngineStream<S>: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let served = service.call((stream, request)).into_inner();
    if let Err(error) = served {
        tracing::debug!(%error, "the engine refused a WebSocket");
    }
}
