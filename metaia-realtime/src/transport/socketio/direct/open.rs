//! Takes a WebSocket that begins a session from HTTP, and serves it.

use std::sync::Arc;

use http::{Request, Response};

use super::{
    connection::DirectConnection,
    conversation::{Conversation, ConversationStart},
    line::OpenedConnection,
    namespace::DirectClient,
};
use crate::transport::socketio::{
    description::client_of,
    engine::Engine,
    handshake::OpeningHandshake,
    response_body::{BoxBody, full},
    websocket::answer,
};

/// Answers a request for a WebSocket that begins a session, and serves it in a task of its own.
pub(in crate::transport::socketio) fn open(
    engine: &Arc<Engine>,
    request: &mut Request<()>,
) -> Response<BoxBody> {
    let response = match answer(request) {
        Ok(response) => response,
        Err(bad) => {
            let counters = engine.node.counters();
            counters.refuse_protocol(bad.into(), client_of(request));
            return bad.into_response();
        }
    };
    let handshake = OpeningHandshake::read(&engine.settings, request);
    let upgrade = hyper::upgrade::on(request);
    let engine = Arc::clone(engine);
    let node = Arc::clone(&engine.node);
    let serving = async move {
        if let Ok(upgraded) = upgrade.await {
            direct_client(engine, upgraded, handshake).serve().await;
        }
    };
    // In a box: what waits for the end would have memory for it several times.
    let serving = Box::pin(serving);
    let stopping = node.stopping().clone();
    node.tasks()
        .spawn(stopping.run_until_cancelled_owned(serving));
    response.map(|()| full(""))
}

/// Returns the client of a WebSocket. In a box: the task would have memory for each place that it
/// is moved through.
fn direct_client(
    engine: Arc<Engine>,
    upgraded: hyper::upgrade::Upgraded,
    handshake: OpeningHandshake,
) -> Box<DirectClient> {
    let opened = OpenedConnection::new(upgraded);
    let counters = engine.node.counters();
    let connection = Arc::new(DirectConnection::new(opened.socket, counters));
    let limits = engine.node.limits();
    let start = ConversationStart::new(limits);
    let conversation = Conversation::new(connection, opened.line, start, &opened.read, limits);
    Box::new(DirectClient::new(engine, conversation, handshake))
}
