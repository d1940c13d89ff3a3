//! A session's way out through socketioxide.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, header::CONTENT_TYPE};
use http_body_util::Full;
use serde_json::value::RawValue;
use socketioxide::{
    SendError, SocketError, TransportType,
    adapter::LocalAdapter,
    extract::AckSender,
    handler::FromMessageParts as _,
    socket::{Sid, Socket},
};
use socketioxide_core::{Str, Value};
use tower::ServiceExt as _;

use super::{Engine, PATH, connect::IoSocket, link::Link};
use crate::session::{EndReason, Outgoing, Port, Progress};

/// How long a last packet may take to be written before the transport is closed all the same.
const LAST_WORD: Duration = Duration::from_secs(1);

/// See [`Port`]. It does not own its socket: that one owns the session.
#[derive(Clone)]
pub(super) struct SocketIoPort {
    engine: Weak<Engine>,
    socket: Weak<Socket<LocalAdapter>>,
    sid: Sid,
    link: Arc<Link>,
    /// What the link had written before this session: a client may leave and CONNECT again.
    before: u64,
}

impl SocketIoPort {
    pub(super) fn new(engine: &Arc<Engine>, socket: &IoSocket, link: &Arc<Link>) -> Self {
        Self {
            engine: Arc::downgrade(engine),
            socket: Arc::downgrade(socket),
            sid: socket.id,
            link: Arc::clone(link),
            before: link.progress().unwrap_or_default().written,
        }
    }

    /// Ends the transport at once. The socket may have gone already, by a DISCONNECT or a refusal,
    /// while its transport is still open: then what kind it is cannot be seen, and either is ended.
    pub(super) fn end_transport(&self) {
        let Some(engine) = self.engine.upgrade() else {
            return;
        };
        engine.links.remove(self.sid.as_str());
        let killed = self.link.kill();
        match self.socket.upgrade() {
            Some(socket) if socket.transport_type() == TransportType::Websocket => {
                if !killed {
                    // Not a connection of ours: all that can be done is to leave the namespace.
                    socket.disconnect().ok();
                }
            }
            _ => close_polling(&engine, self.sid.as_str()),
        }
    }

    /// Ends the transport, and returns when an answer can no longer reach the client: official
    /// clients stay away after a `connect_error`, and come back after a closed transport.
    pub(super) async fn end_transport_unanswered(&self) {
        self.end_transport();
        tokio::time::sleep(LAST_WORD).await;
    }

    /// Ends the transport when what is queued has had time to be written.
    pub(super) fn end_transport_later(&self) {
        let Some(engine) = self.engine.upgrade() else {
            return;
        };
        let port = self.clone();
        let stopping = engine.node.stopping().clone();
        engine.node.tasks().spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(LAST_WORD) => {}
                () = stopping.cancelled() => {}
            }
            port.end_transport();
        });
    }
}

impl Port for SocketIoPort {
    fn wake(&self) {
        self.link.wake.notify_one();
    }

    fn progress(&self) -> Option<Progress> {
        let all = self.link.progress()?;
        let here = |count: u64| count.saturating_sub(self.before);
        Some(Progress {
            written: here(all.written),
            pinged: here(all.pinged),
            answered: here(all.answered),
            pongs: all.pongs,
        })
    }

    fn close(&self, end: EndReason) {
        match end {
            EndReason::TransportLost => {}
            _ if end.stays_away() => {
                if let Some(socket) = self.socket.upgrade() {
                    socket.disconnect().ok();
                }
                self.end_transport_later();
            }
            _ => self.end_transport(),
        }
    }
}

/// A polling session has no connection to kill: its engine is handed an Engine.IO close, as if the
/// client had sent it. Called from destructors too, which may run when there is no runtime any
/// more.
pub(super) fn close_polling(engine: &Engine, sid: &str) {
    if tokio::runtime::Handle::try_current().is_err() {
        return;
    }
    let Some(service) = engine.service() else {
        return;
    };
    let request = Request::post(format!("{PATH}/?EIO=4&transport=polling&sid={sid}"))
        .header(CONTENT_TYPE, "text/plain;charset=UTF-8")
        .body(Full::<Bytes>::from("1"));
    if let Ok(request) = request {
        engine
            .node
            .tasks()
            .spawn(async move { service.oneshot(request).await.ok() });
    }
}

/// Hands a packet to the engine. Its queue has place for every packet within the credit window.
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
    let mut nothing = Value::Str(Str::from(""), None);
    match AckSender::<LocalAdapter>::from_message_parts(socket, &mut nothing, &Some(id)) {
        Ok(ack) => ack.send(answer),
        Err(never) => match never {},
    }
}
