//! The upgrade of a polling session to a WebSocket. A session that has switched is served without
//! the engine, as one that begins as a WebSocket.
//!
//! Until the client has switched, the session polls, so that an upgrade that fails leaves it as it
//! was ([`probe`]). Then the client and its session are moved ([`moving`]).

#[cfg(test)]
mod fuzz;
mod moving;
mod probe;

use std::sync::Arc;

use http::{Request, Response};
use hyper_util::rt::TokioIo;

use self::{
    moving::{MovedFromEngine, SwitchedClient},
    probe::UpgradeAttempt,
};
use super::{
    description::client_of,
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
        Err(bad) => {
            let counters = engine.node.counters();
            counters.refuse_protocol(bad.into(), client_of(request));
            return bad.into_response();
        }
    };
    let upgrade = hyper::upgrade::on(request);
    let engine = Arc::clone(engine);
    let node = Arc::clone(&engine.node);
    let serving = async move {
        let Ok(upgraded) = upgrade.await else {
            return;
        };
        let websocket = TokioIo::new(upgraded);
        let switching = Box::pin(switch(engine, service, link, attempt, websocket));
        if let Some(moved) = switching.await {
            moved.serve().await;
        }
    };
    // In boxes, here and before: a client that is served has no memory for what is over.
    let serving = Box::pin(serving);
    let stopping = node.stopping().clone();
    node.tasks()
        .spawn(stopping.run_until_cancelled_owned(serving));
    response.map(|()| full(""))
}

/// Waits until the client has switched to its WebSocket, and moves it there. Returns `None` if that
/// does not happen.
async fn switch(
    engine: Arc<Engine>,
    service: InnerService,
    link: Arc<Link>,
    attempt: UpgradeAttempt,
    mut websocket: TokioIo<hyper::upgrade::Upgraded>,
) -> Option<MovedFromEngine> {
    let max_bytes = engine.node.limits().message_bytes;
    let reader = attempt.probe(&mut websocket, max_bytes).await?;
    let switched = SwitchedClient {
        engine,
        service,
        link,
        websocket: websocket.into_inner(),
        reader,
    };
    switched.move_away().await
}
