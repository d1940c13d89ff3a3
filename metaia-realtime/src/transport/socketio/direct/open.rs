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
    credentials::handshake_token,
    engine::Engine,
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
        Err(bad) => return bad.into_response(),
    };
    let in_query = engine.settings.token_in_query;
    let token = handshake_token(request.headers(), request.uri(), in_query).map(Box::from);
    let upgrade = hyper::upgrade::on(request);
    let engine = Arc::clone(engine);
    let node = Arc::clone(&engine.node);
    let serving = async move {
        if let Ok(upgraded) = upgrade.await {
            serve(engine, upgraded, token).await;
        }
    };
    let stopping = node.stopping().clone();
    node.tasks()
        .spawn(stopping.run_until_cancelled_owned(serving));
    response.map(|()| full(""))
}

async fn serve(engine: Arc<Engine>, upgraded: hyper::upgrade::Upgraded, token: Option<Box<str>>) {
    let opened = OpenedConnection::new(upgraded);
    let connection = Arc::new(DirectConnection::new(opened.socket));
    let limits = engine.node.limits();
    let start = ConversationStart::new(limits);
    let conversation = Conversation::new(connection, opened.line, start, &opened.read, limits);
    DirectClient::new(engine, conversation, token).serve().await;
}
