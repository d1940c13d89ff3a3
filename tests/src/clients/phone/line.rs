//! The transport of a phone: packets of Engine.IO over a WebSocket, over polling, or over polling
//! until the phone has upgraded.

use std::collections::VecDeque;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::polling::PollingSession;

/// A WebSocket of a phone.
pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[derive(Debug)]
pub(super) struct Line {
    transport: Transport,
    /// Packets that came with the answer to a poll, and have not been returned.
    received: VecDeque<String>,
}

#[derive(Debug)]
enum Transport {
    WebSocket(Box<Socket>),
    Polling(PollingSession),
    /// The phone polls, and upgrades as soon as it receives.
    Upgrading(PollingSession),
}

impl Line {
    pub(super) fn websocket(socket: Socket) -> Self {
        Self::new(Transport::WebSocket(Box::new(socket)))
    }

    pub(super) fn polling(session: PollingSession) -> Self {
        Self::new(Transport::Polling(session))
    }

    pub(super) fn upgrading(session: PollingSession) -> Self {
        Self::new(Transport::Upgrading(session))
    }

    fn new(transport: Transport) -> Self {
        Self {
            transport,
            received: VecDeque::new(),
        }
    }

    pub(super) fn is_websocket(&self) -> bool {
        matches!(self.transport, Transport::WebSocket(_))
    }

    /// Sends a packet. Does nothing if the connection is closed already.
    pub(super) async fn send(&mut self, packet: &str) {
        match &mut self.transport {
            Transport::WebSocket(socket) => drop(socket.send(Message::text(packet)).await),
            Transport::Polling(session) | Transport::Upgrading(session) => {
                session.post(packet).await;
            }
        }
    }

    /// Sends a message that only a WebSocket has. Does nothing if the connection is closed already.
    pub(super) async fn send_message(&mut self, message: Message) {
        match &mut self.transport {
            Transport::WebSocket(socket) => drop(socket.send(message).await),
            Transport::Polling(_) | Transport::Upgrading(_) => {
                panic!("a phone that polls sends no frames")
            }
        }
    }

    /// Returns the next packet that is not a heartbeat, without a deadline. Returns `None` when the
    /// transport is closed.
    pub(super) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(packet) = self.received.pop_front() {
                return Some(packet);
            }
            match &mut self.transport {
                Transport::WebSocket(socket) => return next_of(socket).await,
                Transport::Polling(session) => self.received.extend(session.poll().await?),
                Transport::Upgrading(session) => {
                    let socket = session.upgrade(&mut self.received).await;
                    self.transport = match socket {
                        Some(socket) => Transport::WebSocket(Box::new(socket)),
                        None => Transport::Polling(session.clone()),
                    };
                }
            }
        }
    }
}

/// Returns the next packet of a WebSocket that is not a heartbeat.
async fn next_of(socket: &mut Socket) -> Option<String> {
    loop {
        match socket.next().await?.ok()? {
            Message::Text(text) if text.as_str() == "2" => {
                let _ = socket.send(Message::text("3")).await;
            }
            Message::Text(text) => return Some(text.as_str().to_owned()),
            Message::Close(_) => return None,
            _ => (),
        }
    }
}
