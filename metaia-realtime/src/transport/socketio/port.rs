//! The session core's [`Port`] for clients that begin with polling.

use std::{
    future::Future,
    sync::{Arc, Weak},
    time::Duration,
};

use serde_json::value::RawValue;
use socketioxide::{
    SendError, SocketError, adapter::LocalAdapter, extract::AckSender,
    handler::FromMessageParts as _,
};
use socketioxide_core::{Str, Value};

use super::{
    engine::Engine, inbound_packet::PacketKind, link::Link, port_switch::PortSwitch,
    socket::IoSocket,
};
use crate::{
    node::TransportKind,
    session::{END, EndReason, Outgoing, Port, Progress, Session, Taken},
};

/// The time in which a refusal may be written before the transport is closed.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// The time in which `rt:end` may be written before the transport is closed. Clients are promised
/// 250 ms at most.
const END_TIMEOUT: Duration = Duration::from_millis(200);
const _: () = assert!(END_TIMEOUT.as_millis() < 250);

/// The most packets of a session in the answer to one poll. python-engineio takes 16, and never
/// comes back after an answer with more. Beside these there may be a ping, the answer to a CONNECT,
/// and at the end `rt:end` and DISCONNECT.
const MAX_POLLED_PACKETS: usize = 12;

/// The port of a session whose client began with polling: the engine, until the session is moved to
/// a WebSocket.
pub(super) struct SocketIoPort {
    of_engine: EnginePort,
    switch: Arc<PortSwitch>,
}

/// The port of a session over the engine.
#[derive(Clone)]
struct EnginePort {
    engine: Weak<Engine>,
    link: Arc<Link>,
    /// Packets of the link that are not the session's.
    handed_over_before: u64,
}

impl SocketIoPort {
    pub(super) fn new(engine: &Arc<Engine>, link: &Arc<Link>) -> Self {
        link.time_entries(engine.node.counters());
        let of_engine = EnginePort {
            engine: Arc::downgrade(engine),
            link: Arc::clone(link),
            handed_over_before: link.handed_over(),
        };
        let switch = Arc::new(PortSwitch::new(of_engine.handed_over_before));
        Self { of_engine, switch }
    }

    /// Returns the switch that moves the session to a WebSocket.
    pub(super) const fn switch(&self) -> &Arc<PortSwitch> {
        &self.switch
    }

    /// Ends the transport, and returns once no answer can reach the client any more: official
    /// clients stay away after a `connect_error`, but reconnect after a closed transport.
    pub(super) async fn end_transport_unanswered(&self) {
        self.of_engine.end_transport();
        tokio::time::sleep(REFUSAL_TIMEOUT).await;
    }

    /// Ends the transport once a refusal has had time to be written.
    pub(super) fn end_transport_after_refusal(&self) {
        let written = tokio::time::sleep(REFUSAL_TIMEOUT);
        self.of_engine.after(written, |port| port.end_transport());
    }
}

/// Ends the transport of a socket without a link, as
/// [`end_transport_unanswered`](SocketIoPort::end_transport_unanswered) does.
pub(super) async fn end_without_link(engine: &Engine, socket: &IoSocket) {
    engine.service.close_polling(socket.id.as_str());
    tokio::time::sleep(REFUSAL_TIMEOUT).await;
}

impl EnginePort {
    /// Ends the transport at once, unless the client has moved to a WebSocket.
    fn end_transport(&self) {
        let Some(engine) = self.engine.upgrade() else {
            return;
        };
        if self.link.upgrade.close() {
            engine.links.remove(&self.link.polling.sid);
            self.link.membership.end();
            self.link.polling.close();
        }
    }

    /// Ends the transport of a client that has left the namespace, unless it comes back in the time
    /// that a new client has.
    fn end_transport_after_leave(&self) {
        let Some(engine) = self.engine.upgrade() else {
            return;
        };
        let link = Arc::clone(&self.link);
        let time = engine.node.limits().unauthenticated;
        let returned = async move {
            tokio::time::sleep(time).await;
            // A CONNECT that came in time has as long to be answered.
            let settled = link.membership.settled(PacketKind::Event);
            tokio::time::timeout(time, settled).await.ok();
        };
        self.end_transport_unless_rejoined(returned);
    }

    /// Ends the transport after `time`, unless the client has another session by then.
    fn end_transport_unless_rejoined(&self, time: impl Future<Output = ()> + Send + 'static) {
        let joins = self.link.joins();
        self.after(time, move |port| {
            if port.link.joins() == joins {
                port.end_transport();
            }
        });
    }

    /// Ends the transport of a client that was sent its last packets, when these have had time to
    /// be written. A client that polls and is to stay away must fetch them: it would come back if
    /// it missed DISCONNECT.
    fn end_transport_after_last_packets(&self, end: EndReason) {
        if !end.stays_away() {
            return self.end_transport_unless_rejoined(tokio::time::sleep(END_TIMEOUT));
        }
        let link = Arc::clone(&self.link);
        let fetched = async move {
            // Not earlier: the session's task has yet to write them.
            tokio::time::sleep(END_TIMEOUT).await;
            tokio::time::timeout(REFUSAL_TIMEOUT, link.all_written())
                .await
                .ok();
        };
        self.end_transport_unless_rejoined(fetched);
    }

    /// Calls `act` after `time`, or when the node stops: a drain does not wait.
    fn after(
        &self,
        time: impl Future<Output = ()> + Send + 'static,
        act: impl FnOnce(Self) + Send + 'static,
    ) {
        let Some(engine) = self.engine.upgrade() else {
            return;
        };
        // A session may end in a destructor, when there is no runtime any more.
        if tokio::runtime::Handle::try_current().is_err() {
            return self.end_transport();
        }
        let port = self.clone();
        let stopping = engine.node.stopping().clone();
        engine.node.tasks().spawn(async move {
            tokio::select! {
                () = time => {}
                () = stopping.cancelled() => {}
            }
            act(port);
        });
    }
}

impl EnginePort {
    fn progress(&self) -> Progress {
        let of_link = self.link.counts.progress();
        let of_session = |count: u64| count.saturating_sub(self.handed_over_before);
        Progress {
            written: of_session(of_link.written),
            pinged: of_session(of_link.pinged),
            answered: of_session(of_link.answered),
            pongs: of_link.pongs,
        }
    }

    fn max_unwritten(&self) -> usize {
        let written = self.link.counts.written();
        let of_earlier_session = self.handed_over_before.saturating_sub(written);
        MAX_POLLED_PACKETS.saturating_sub(usize::try_from(of_earlier_session).unwrap_or(usize::MAX))
    }

    fn close(&self, end: EndReason) {
        if end == EndReason::TransportLost {
            return;
        }
        if end == EndReason::ClientLeft {
            self.end_transport_after_leave();
            return;
        }
        // The session's task writes `rt:end` now, and DISCONNECT if the client is to stay away.
        match end.code_for_client() {
            Some(_) => self.end_transport_after_last_packets(end),
            None => self.end_transport(),
        }
    }
}

impl Port for SocketIoPort {
    fn wake(&self) {
        match self.switch.websocket() {
            Some(websocket) => websocket.wake(),
            None => self.of_engine.link.wake.notify_one(),
        }
    }

    fn prepare(&self, session: &Session) -> Option<Taken> {
        match self.switch.websocket() {
            Some(websocket) => websocket.prepare(session),
            None => {
                self.wake();
                None
            }
        }
    }

    fn write(&self, session: &Session, taken: Taken) {
        if let Some(websocket) = self.switch.websocket() {
            websocket.write(session, taken);
        }
    }

    fn progress(&self) -> Option<Progress> {
        match self.switch.websocket() {
            Some(websocket) => websocket.progress(),
            None => Some(self.of_engine.progress()),
        }
    }

    fn max_unwritten(&self) -> usize {
        match self.switch.websocket() {
            Some(websocket) => websocket.max_unwritten(),
            None => self.of_engine.max_unwritten(),
        }
    }

    fn transport(&self) -> Option<TransportKind> {
        match self.switch.websocket() {
            Some(websocket) => websocket.transport(),
            None => Some(TransportKind::Polling),
        }
    }

    fn close(&self, end: EndReason) {
        // Not by what `websocket` is now: a move that is under way must see either that the session
        // has ended, or that its WebSocket was told.
        if self.of_engine.link.upgrade.end_session(end) {
            self.of_engine.close(end);
        } else if let Some(websocket) = self.switch.websocket() {
            websocket.close(end);
        }
    }
}

/// Writes a packet to the engine, whose queue has space for every packet within the credit window.
pub(super) fn write(socket: &IoSocket, link: &Link, outgoing: Outgoing) -> Result<(), EndReason> {
    // Before the engine has it, so that it is never written before it is counted.
    link.hand_over(outgoing.committed());
    let sent = match &outgoing {
        Outgoing::Entry(entry, _) => socket.emit(entry.content().name(), entry.stamped()),
        Outgoing::Volatile(event) => socket.emit(event.name.as_str(), &*event.payload),
        Outgoing::Control { name, payload, .. } => socket.emit(name, &**payload),
        Outgoing::Ack { id, answer } => acknowledge(socket, *id, answer),
        Outgoing::End {
            payload,
            stays_away,
        } => end(socket, link, payload, *stays_away),
    };
    match sent {
        Ok(()) => Ok(()),
        Err(error) => {
            // It is never written.
            link.take_back();
            refused(&outgoing, &error)
        }
    }
}

/// Returns how the session goes on after the engine has refused a packet.
fn refused(packet: &Outgoing, error: &SendError) -> Result<(), EndReason> {
    match error {
        // Only without credit can there be so many. The event may be lost.
        SendError::Socket(SocketError::InternalChannelFull)
            if matches!(packet, Outgoing::Volatile(_)) =>
        {
            Ok(())
        }
        SendError::Socket(SocketError::InternalChannelFull) => {
            tracing::warn!("a client's queue is full");
            Err(EndReason::Slow)
        }
        // The client has left, or its transport has ended. The engine tells which right after.
        SendError::Socket(SocketError::Closed) => Ok(()),
        SendError::Serialize(_) => Err(EndReason::TransportLost),
    }
}

/// Writes `rt:end`, and after it DISCONNECT if the client is to stay away.
fn end(
    socket: &IoSocket,
    link: &Link,
    payload: &RawValue,
    stays_away: bool,
) -> Result<(), SendError> {
    let sent = socket.emit(END, payload);
    if stays_away {
        link.hand_over(None);
        if Arc::clone(socket).disconnect().is_err() {
            link.take_back();
        }
    }
    sent
}

fn acknowledge(socket: &IoSocket, id: i64, answer: &RawValue) -> Result<(), SendError> {
    // The extractor is the only way to an `AckSender`; it reads no payload.
    let mut no_payload = Value::Str(Str::from(""), None);
    match AckSender::<LocalAdapter>::from_message_parts(socket, &mut no_payload, &Some(id)) {
        Ok(ack) => ack.send(answer),
        Err(never) => match never {},
    }
}
