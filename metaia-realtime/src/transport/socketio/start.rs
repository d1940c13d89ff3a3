//! Starts the engine of a node: configures socketioxide and registers the handlers.

use std::sync::Arc;

use socketioxide::{ParserConfig, SocketIo, TransportType};

use super::{
    connect,
    engine::Engine,
    engine_service::{InnerService, PATH},
};
use crate::{
    limits::{Limits, TRANSPORT_QUEUE},
    node::Node,
    transport::{Settings, Transports},
};

/// Starts the engine of `node`. [`Engine::stop`] must be called in the end: until then the engine's
/// service and its handlers keep each other alive.
pub(crate) fn start(node: Arc<Node>, settings: Settings) -> Arc<Engine> {
    let (service, io) = build(node.limits(), settings.transports);
    let engine = Arc::new(Engine::new(node, settings, service));
    connect::register(&engine, &io);
    engine
}

fn build(limits: &Limits, transports: Transports) -> (InnerService, SocketIo) {
    // Clients send no binary payloads.
    let parser = ParserConfig::common()
        .max_incoming_binaries(0)
        .max_incoming_binary_buf_size(0);
    let builder = SocketIo::builder()
        .req_path(PATH)
        .ping_interval(limits.ping_interval)
        .ping_timeout(limits.ping_timeout)
        .connect_timeout(limits.unauthenticated)
        .max_buffer_size(TRANSPORT_QUEUE)
        .max_payload(limits.message_bytes as u64)
        .with_parser(parser);
    // The engine serves polling alone. It offers the client the other transport.
    let builder = match transports {
        Transports::All => builder.transports([TransportType::Polling, TransportType::Websocket]),
        Transports::WebSocketOnly => builder.transports([TransportType::Websocket]),
    };
    builder.build_svc()
}
