//! The upgrade of a polling session to a WebSocket. A session that has switched is served without
//! the engine, as one that begins as a WebSocket.
//!
//! Until the client has switched, the session polls, so that an upgrade that fails leaves it as it
//! was ([`probe`]). Then the client and its session are moved ([`moving`]).

mod moving;
mod probe;

use std::sync::Arc;

use http::{Request, Response};
use hyper_util::rt::TokioIo;

use self::{moving::SwitchedClient, probe::UpgradeAttempt};
use super::{
    engine::Engine,
    engine_error::EngineError,
    engine_service::InnerService,
    link::Link,
    response_body::{BoxBody, full},
    websocket::answer,
};

/// Answers a request that upgrades a polling session, and serves its WebSocket in a task of its
/// own.
pub(super) fn upgrade(
    engine: &Arc<Engine>,
    service: InnerService,
    link: Arc<Link>,
    request: &mut Request<()>,
) -> Response<BoxBody> {
    let Some(attempt) = UpgradeAttempt::begin(&link) else {
        return EngineError::BadRequest.into_response();
    };
    let response = match answer(request) {
        Ok(response) => response,
        Err(bad) => return bad.into_response(),
    };
    let upgrade = hyper::upgrade::on(request);
    let engine = Arc::clone(engine);
    let node = Arc::clone(&engine.node);
    let serving = async move {
        let Ok(upgraded) = upgrade.await else {
            return;
        };
        let mut websocket = TokioIo::new(upgraded);
        let max_bytes = engine.node.limits().message_bytes;
        // In a box, so that a client that is served takes no memory for it.
        let probe = Box::pin(attempt.probe(&mut websocket, max_bytes));
        let Some(reader) = probe.await else {
            return;
        };
        let switched = SwitchedClient {
            engine,
            service,
            link,
            websocket: websocket.into_inner(),
            reader,
        };
        switched.serve().await;
    };
    let stopping = node.stopping().clone();
    node.tasks()
        .spawn(stopping.run_until_cancelled_owned(serving));
    response.map(|()| full(""))
}
