//! A client that has polled, and goes on over a WebSocket.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    connection::DirectConnection,
    conversation::{Conversation, ConversationStart},
    frames::text_frame,
    heartbeat::{EnginePings, Heartbeat},
    line::OpenedConnection,
    namespace::{DirectClient, Place},
    port::DirectPort,
    writer::FrameKind,
};
use crate::{
    Limits,
    session::Port,
    transport::{
        guard::Observer,
        socketio::{
            engine::Engine, handshake::OpeningHandshake, read_budget::ReadBudget, scan::Kind,
            websocket::FrameReader, write_counts::WriteCounts,
        },
    },
};

/// The state in which the engine leaves a client.
pub(in crate::transport::socketio) struct MovedState {
    /// The frames that the client has sent behind its switch.
    pub(in crate::transport::socketio) reader: FrameReader,
    /// The time of the handshake.
    pub(in crate::transport::socketio) opened_at: Instant,
    pub(in crate::transport::socketio) handshake: OpeningHandshake,
    pub(in crate::transport::socketio) joins: u32,
    pub(in crate::transport::socketio) refused: u32,
    pub(in crate::transport::socketio) budget: Arc<ReadBudget>,
    pub(in crate::transport::socketio) counts: WriteCounts,
    /// The client has yet to answer the last ping of the engine.
    pub(in crate::transport::socketio) is_pinged: bool,
}

/// A client that has polled before.
pub(in crate::transport::socketio) struct MovedClient(Box<DirectClient>);

impl MovedClient {
    pub(in crate::transport::socketio) fn new(
        engine: Arc<Engine>,
        websocket: hyper::upgrade::Upgraded,
        state: MovedState,
    ) -> Self {
        let limits = engine.node.limits();
        let heartbeat = heartbeat_of(&state, limits);
        let opened = OpenedConnection::new(websocket);
        let connection = Arc::new(DirectConnection::with_counts(
            opened.socket,
            engine.node.counters(),
            state.counts,
        ));
        let start = ConversationStart {
            reader: state.reader,
            budget: state.budget,
            heartbeat,
        };
        let conversation = Conversation::new(connection, opened.line, start, &opened.read, limits);
        Self(Box::new(DirectClient {
            engine,
            conversation,
            handshake: state.handshake,
            joins: state.joins,
            refused: state.refused,
        }))
    }

    /// Sends a packet that the engine had for the client.
    pub(in crate::transport::socketio) fn send(&self, packet: &str) {
        let kind = match Kind::of(packet) {
            Kind::Counted => FrameKind::Packet,
            Kind::Ping => FrameKind::Ping,
            Kind::Other => FrameKind::Other,
        };
        self.connection().send(text_frame(packet), kind);
    }

    /// Returns the port of a session that began when `taken_before` packets had been handed over.
    pub(in crate::transport::socketio) fn port(&self, taken_before: u64) -> Box<dyn Port> {
        Box::new(DirectPort::continued(self.connection(), taken_before))
    }

    /// Returns the connection, for those who may lose it.
    pub(in crate::transport::socketio) fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(self.connection()) as _
    }

    /// Serves the client to the end of its connection, from its place on.
    pub(in crate::transport::socketio) async fn serve(&mut self, place: Place) {
        self.0.serve_from(place).await;
    }

    const fn connection(&self) -> &Arc<DirectConnection> {
        &self.0.conversation.connection
    }
}

/// Returns the heartbeat that follows that of the engine.
fn heartbeat_of(state: &MovedState, limits: &Limits) -> Heartbeat {
    let engine = EnginePings {
        opened_at: state.opened_at,
        now: Instant::now(),
        pongs: state.counts.progress().pongs,
        is_pinged: state.is_pinged,
    };
    Heartbeat::following(engine, limits.ping_interval, limits.ping_timeout)
}
