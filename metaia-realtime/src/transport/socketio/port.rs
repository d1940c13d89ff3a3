//! The session core's [`Port`] over socketioxide.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use serde_json::value::RawValue;
use socketioxide::{
    SendError, SocketError, TransportType,
    adapter::LocalAdapter,
    extract::AckSender,
    handler::FromMessageParts as _,
    socket::{Sid, Socket},
};
use socketioxide_core::{Str, Value};

use super::{engine::Engine, link::Link, socket::IoSocket};
use crate::session::{EndReason, Outgoing, Port, Progress};

/// The time in which a last packet may be written before the transport is closed.
const LAST_PACKET_TIMEOUT: Duration = Duration::from_secs(1);

/// The most packets of a session in the answer to one poll. python-engineio takes 16, and never
/// comes back after an answer with more; the engine adds a ping, and an answer to CONNECT.
const MAX_POLLED_PACKETS: usize = 14;

/// The port of one session. It does not own its socket, since the socket owns the session.
#[derive(Clone)]
pub(super) struct SocketIoPort {
    engine: Weak<Engine>,
    socket: Weak<Socket<LocalAdapter>>,
    sid: Sid,
    link: Arc<Link>,
    /// Packets that the link had written before this session began: a client may leave and CONNECT
    /// again over the same link.
    written_before: u64,
}

impl SocketIoPort {
    pub(super) fn new(engine: &Arc<Engine>, socket: &IoSocket, link: &Arc<Link>) -> Self {
        Self {
            engine: Arc::downgrade(engine),
            socket: Arc::downgrade(socket),
            sid: socket.id,
            link: Arc::clone(link),
            written_before: link.progress().unwrap_or_default().written,
        }
    }

    /// Ends the transport at once.
    pub(super) fn end_transport(&self) {
        let Some(engine) = self.engine.upgrade() else {
            return;
        };
        engine.links.remove(self.sid.as_str());
        let killed = self.link.kill();
        match self.socket.upgrade() {
            Some(socket) if socket.transport_type() == TransportType::Websocket => {
                if !killed {
                    // `guard` does not wrap this connection, so that the session can only leave the
                    // namespace.
                    socket.disconnect().ok();
                }
            }
            // The socket of a DISCONNECT or a refusal is gone while its transport may still be
            // open. The kind of transport is unknown then, and both are ended.
            _ => engine.service.close_polling(self.sid.as_str()),
        }
    }

    /// Ends the transport, and returns once no answer can reach the client any more: official
    /// clients stay away after a `connect_error`, but reconnect after a closed transport.
    pub(super) async fn end_transport_unanswered(&self) {
        self.end_transport();
        tokio::time::sleep(LAST_PACKET_TIMEOUT).await;
    }

    /// Ends the transport once the queued packets have had time to be written.
    pub(super) fn end_transport_later(&self) {
        self.after(LAST_PACKET_TIMEOUT, |port| port.end_transport());
    }

    /// Ends the transport of a client that has left the namespace, unless it comes back in the time
    /// that a new client has.
    fn end_transport_unless_rejoined(&self) {
        let Some(engine) = self.engine.upgrade() else {
            return;
        };
        let joins = self.link.joins();
        self.after(engine.node.limits().unauthenticated, move |port| {
            if port.link.joins() == joins {
                port.end_transport();
            }
        });
    }

    /// Calls `act` after `time`, or when the node stops.
    fn after(&self, time: Duration, act: impl FnOnce(Self) + Send + 'static) {
        let Some(engine) = self.engine.upgrade() else {
            return;
        };
        let port = self.clone();
        let stopping = engine.node.stopping().clone();
        engine.node.tasks().spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(time) => {}
                () = stopping.cancelled() => {}
            }
            act(port);
        });
    }
}

impl Port for SocketIoPort {
    fn wake(&self) {
        self.link.wake.notify_one();
    }

    fn progress(&self) -> Option<Progress> {
        let of_link = self.link.progress()?;
        let of_session = |count: u64| count.saturating_sub(self.written_before);
        Some(Progress {
            written: of_session(of_link.written),
            pinged: of_session(of_link.pinged),
            answered: of_session(of_link.answered),
            pongs: of_link.pongs,
        })
    }

    fn max_unwritten(&self) -> usize {
        if self.link.is_polling() {
            MAX_POLLED_PACKETS
        } else {
            usize::MAX
        }
    }

    fn close(&self, end: EndReason) {
        if end == EndReason::TransportLost {
            return;
        }
        if end == EndReason::ClientLeft {
            self.end_transport_unless_rejoined();
            return;
        }
        if !end.stays_away() {
            self.end_transport();
            return;
        }
        if let Some(socket) = self.socket.upgrade() {
            socket.disconnect().ok();
        }
        self.end_transport_later();
    }
}

/// Writes a packet to the engine, whose queue has space for every packet within the credit window.
pub(super) fn write(socket: &IoSocket, outgoing: Outgoing) -> Result<(), EndReason> {
    let sent = match &outgoing {
        Outgoing::Entry(entry) => socket.emit(entry.content().name(), entry.stamped()),
        Outgoing::Volatile(event) => socket.emit(event.name.as_str(), &*event.payload),
        Outgoing::Control { name, payload, .. } => socket.emit(name, &**payload),
        Outgoing::Ack { id, answer } => acknowledge(socket, *id, answer),
    };
    match sent {
        Ok(()) => Ok(()),
        Err(SendError::Socket(SocketError::InternalChannelFull)) => {
            tracing::warn!("a client's queue is full");
            Err(EndReason::Slow)
        }
        Err(_) => Err(EndReason::TransportLost),
    }
}

fn acknowledge(socket: &IoSocket, id: i64, answer: &RawValue) -> Result<(), SendError> {
    // The extractor is the only way to an `AckSender`; it reads no payload.
    let mut no_payload = Value::Str(Str::from(""), None);
    match AckSender::<LocalAdapter>::from_message_parts(socket, &mut no_payload, &Some(id)) {
        Ok(ack) => ack.send(answer),
        Err(never) => match never {},
    }
}
