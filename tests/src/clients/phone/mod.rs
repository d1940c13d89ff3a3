//! A phone: a Socket.IO client over a plain WebSocket or over polling, written for tests. It
//! answers heartbeats, keeps every event, and can send what a correct client would not send.

mod line;
mod opening;
mod polling;

use std::collections::VecDeque;

use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::eventually::{DEADLINE, within};
use crate::fixtures::token::token;
use crate::server::Listening;

use line::Line;
pub use opening::HandshakeRefusal;

/// One connection.
#[derive(Debug)]
pub struct Phone {
    line: Line,
    seen: VecDeque<Event>,
    acks: Vec<(u64, Value)>,
    next_ack: u64,
}

/// An event as it arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The event's name.
    pub name: String,
    /// The event's one argument.
    pub data: Value,
}

impl Event {
    /// Returns the event's position in the log, or an empty text if it has none.
    #[must_use]
    pub fn at(&self) -> &str {
        self.data["_rt"]["at"].as_str().unwrap_or_default()
    }
}

impl Phone {
    /// Connects as this user and waits for `rt:ready`. All events up to and including it are
    /// discarded.
    pub async fn ready_as(server: &impl Listening, role: &str, user: &str) -> Self {
        Self::ready_with(server, &json!({"token": token(role, user)})).await
    }

    /// Connects with this `auth` and waits for `rt:ready`. All events up to and including it are
    /// discarded.
    pub async fn ready_with(server: &impl Listening, auth: &Value) -> Self {
        let mut phone = Self::connected(server, auth).await;
        phone.until("rt:ready").await;
        phone
    }

    /// Connects with this `auth` and reads no event yet.
    pub async fn connected(server: &impl Listening, auth: &Value) -> Self {
        let mut phone = Self::open(server).await;
        let refusal = phone.connect(auth).await;
        assert_eq!(refusal, Ok(()), "CONNECT with {auth}");
        phone
    }

    /// Sends CONNECT. The error is the message of the `connect_error`, or `closed` if the transport
    /// ended instead.
    pub async fn connect(&mut self, auth: &Value) -> Result<(), String> {
        self.send(&format!("40{auth}")).await;
        within("an answer to CONNECT", self.connect_answer()).await
    }

    async fn connect_answer(&mut self) -> Result<(), String> {
        loop {
            let Some(packet) = self.packet().await else {
                return Err("closed".to_owned());
            };
            if packet.starts_with("40") {
                return Ok(());
            }
            if let Some(error) = packet.strip_prefix("44") {
                let error: Value = serde_json::from_str(error).expect("a connect_error is JSON");
                return Err(error["message"].as_str().expect("a message").to_owned());
            }
        }
    }

    /// Sends a raw Engine.IO text packet. Does nothing if the connection is closed already.
    pub async fn send(&mut self, packet: &str) {
        self.line.send(packet).await;
    }

    /// Sends one text message in several frames.
    pub async fn send_fragments(&mut self, fragments: &[String]) {
        for (index, fragment) in fragments.iter().enumerate() {
            let kind = if index == 0 {
                Data::Text
            } else {
                Data::Continue
            };
            let last = index + 1 == fragments.len();
            let frame = Frame::message(fragment.clone(), OpCode::Data(kind), last);
            self.line.send_message(Message::Frame(frame)).await;
        }
    }

    /// Sends a raw binary frame.
    pub async fn send_binary(&mut self, bytes: Vec<u8>) {
        self.line.send_message(Message::binary(bytes)).await;
    }

    /// Emits an event without asking for an ack.
    pub async fn emit(&mut self, event: &str, data: &Value) {
        self.send(&format!("42{}", json!([event, data]))).await;
    }

    /// Emits an event and returns its ack.
    pub async fn call(&mut self, event: &str, data: &Value) -> Value {
        let id = self.start_call(event, data).await;
        self.ack(id).await
    }

    /// Emits an event that asks for an ack, and returns the ack's id without waiting.
    pub async fn start_call(&mut self, event: &str, data: &Value) -> u64 {
        let id = self.next_ack;
        self.next_ack += 1;
        self.send(&format!("42{id}{}", json!([event, data]))).await;
        id
    }

    /// Waits for the ack with this id.
    pub async fn ack(&mut self, id: u64) -> Value {
        loop {
            if let Some(index) = self.acks.iter().position(|(ack, _)| *ack == id) {
                return self.acks.swap_remove(index).1;
            }
            let more = within(&format!("ack {id}"), self.read()).await;
            assert!(more, "closed before ack {id}; events: {:#?}", self.seen);
        }
    }

    /// Waits for the next event.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.seen.pop_front() {
                return event;
            }
            assert!(
                within("an event", self.read()).await,
                "closed while waiting for an event"
            );
        }
    }

    /// Waits for the next event without a deadline. Returns `None` when the transport is closed.
    pub async fn next_or_end(&mut self) -> Option<Event> {
        while self.seen.is_empty() && self.read().await {}
        self.seen.pop_front()
    }

    /// Reads up to the next event with this name and returns all events that arrived, the named one
    /// last.
    pub async fn until(&mut self, name: &str) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            if let Some(event) = self.seen.pop_front() {
                let found = event.name == name;
                events.push(event);
                if found {
                    return events;
                }
            } else {
                match timeout(DEADLINE, self.read()).await {
                    Ok(true) => (),
                    Ok(false) => panic!("closed before {name}; events: {events:#?}"),
                    Err(_) => panic!("waited {DEADLINE:?} for {name}; events: {events:#?}"),
                }
            }
        }
    }

    /// Returns the next event with this name. Events before it are discarded.
    pub async fn event(&mut self, name: &str) -> Value {
        self.until(name)
            .await
            .pop()
            .expect("the named event is last")
            .data
    }

    /// Returns the events that have arrived and were not returned yet, without waiting.
    pub fn arrived(&mut self) -> Vec<Event> {
        self.seen.drain(..).collect()
    }

    /// Waits until the server has closed the transport and returns all events that arrived before.
    pub async fn closed(&mut self) -> Vec<Event> {
        within("the server to close the connection", async {
            while self.read().await {}
        })
        .await;
        self.seen.drain(..).collect()
    }

    /// Returns true if the phone now uses a WebSocket.
    #[must_use]
    pub fn has_websocket(&self) -> bool {
        self.line.is_websocket()
    }

    /// Leaves with a close packet.
    pub async fn leave(mut self) {
        self.send("1").await;
    }

    /// Drops the connection without a close packet, as a phone that loses power does.
    pub fn drop_connection(self) {
        drop(self);
    }

    /// Reads one packet, without a deadline, and stores its event or ack. Returns false when the
    /// transport is closed.
    async fn read(&mut self) -> bool {
        let Some(packet) = self.packet().await else {
            return false;
        };
        if let Some(event) = packet.strip_prefix("42") {
            let arguments: Vec<Value> =
                serde_json::from_str(event).expect("an event is a JSON array");
            let [name, data] = arguments.as_slice() else {
                panic!("not exactly one argument: {packet}")
            };
            let name = name.as_str().expect("a name").to_owned();
            self.seen.push_back(Event {
                name,
                data: data.clone(),
            });
        } else if let Some(ack) = packet.strip_prefix("43") {
            let (id, arguments) = ack.split_at(ack.find('[').expect("an ack has arguments"));
            let arguments: Vec<Value> =
                serde_json::from_str(arguments).expect("an ack is a JSON array");
            self.acks
                .push((id.parse().expect("an ack's number"), json!(arguments[0])));
        }
        true
    }

    /// Returns the next Engine.IO packet that is not a heartbeat, without a deadline. Returns
    /// `None` when the transport is closed.
    pub(crate) async fn packet(&mut self) -> Option<String> {
        self.line.next().await
    }
}
