//! A client of the namespace `/`: it [joins](super::joining), has a session, leaves, and may join
//! again.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use serde_json::json;
use tokio::time::Instant;

use super::{
    conversation::{Conversation, Heard, Lost},
    packet::ClientPacket,
};
use crate::{
    node::Node,
    session::{Driven, EndReason, InboundQueue, Session},
    transport::socketio::{
        engine::Engine, handshake::OpeningHandshake, joined_session::JoinedSession, sid::random_sid,
    },
    values::after,
};

/// The time in which the last packets are written before the connection is closed. Clients are
/// promised 250 ms at most.
const END_TIMEOUT: Duration = Duration::from_millis(200);
const _: () = assert!(END_TIMEOUT.as_millis() < 250);

/// The time that a client has to take a refusal, or to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A client and its connection.
pub(super) struct DirectClient {
    pub(super) engine: Arc<Engine>,
    pub(super) conversation: Conversation,
    pub(super) handshake: OpeningHandshake,
    /// The CONNECTs that were accepted.
    pub(super) joins: u32,
    /// The CONNECTs that were refused.
    pub(super) refused: u32,
}

/// The place of a client when it begins to be served.
pub(in crate::transport::socketio) enum Place {
    /// Not in the namespace. Its CONNECT must come by then.
    Outside(Instant),
    Member(Box<JoinedSession>),
    /// Its session has ended, and the connection is to end.
    Ended(EndReason),
}

/// The way in which the connection of a client ends.
pub(super) enum ConnectionEnd {
    Lost(Lost),
    /// The client did not get into the namespace in time, or is to come back later: its connection
    /// ends without an answer.
    Closed,
    /// The client was refused too often.
    Refused,
    /// The server has ended the session.
    Session(EndReason),
}

impl DirectClient {
    pub(super) fn new(
        engine: Arc<Engine>,
        conversation: Conversation,
        handshake: OpeningHandshake,
    ) -> Self {
        Self {
            engine,
            conversation,
            handshake,
            joins: 0,
            refused: 0,
        }
    }

    /// Serves the client to the end of its connection.
    ///
    /// The futures of what is over soon are in boxes of their own, here and below: a connection
    /// that rests has no memory for them.
    pub(super) async fn serve(&mut self) {
        self.send_open();
        let deadline = self.connect_deadline();
        self.serve_from(Place::Outside(deadline)).await;
    }

    /// Serves the client to the end of its connection, from its place on.
    pub(super) async fn serve_from(&mut self, place: Place) {
        let ending = self.serve_sessions(place).await;
        Box::pin(self.end(ending)).await;
    }

    /// Returns the time by which a client must connect that leaves the namespace now.
    fn connect_deadline(&self) -> Instant {
        after(Instant::now(), self.engine.node.limits().unauthenticated)
    }

    /// Sends the OPEN of Engine.IO.
    fn send_open(&self) {
        let limits = self.engine.node.limits();
        let open = json!({
            "sid": random_sid(),
            "upgrades": [],
            "pingInterval": limits.ping_interval.as_millis() as u64,
            "pingTimeout": limits.ping_timeout.as_millis() as u64,
            "maxPayload": limits.message_bytes,
        });
        self.conversation.send(&format!("0{open}"));
    }

    async fn serve_sessions(&mut self, mut place: Place) -> ConnectionEnd {
        loop {
            let mut member = match place {
                Place::Ended(end) => return ConnectionEnd::Session(end),
                Place::Member(member) => member,
                Place::Outside(_) if self.is_refused() => return ConnectionEnd::Refused,
                Place::Outside(deadline) => match Box::pin(self.join(deadline)).await {
                    Ok(member) => member,
                    Err(ending) => return ending,
                },
            };
            let end = self.attend(&mut member).await;
            place = match end {
                EndReason::ClientLeft => Place::Outside(self.connect_deadline()),
                end => Place::Ended(end),
            };
        }
    }

    /// Ends the connection.
    async fn end(&mut self, ending: ConnectionEnd) {
        match ending {
            ConnectionEnd::Lost(lost) => self.end_lost(lost).await,
            ConnectionEnd::Closed | ConnectionEnd::Refused => {
                self.conversation.close(None, CLOSE_TIMEOUT).await;
            }
            ConnectionEnd::Session(end) if end.code_for_client().is_some() => {
                self.conversation.close(None, END_TIMEOUT).await;
            }
            ConnectionEnd::Session(_) => {
                if let Some(lost) = self.conversation.lost() {
                    self.end_lost(lost).await;
                }
            }
        }
    }

    /// Ends a connection that is lost. Tells the client why, unless it is gone or does not read.
    async fn end_lost(&mut self, lost: Lost) {
        let conversation = &mut self.conversation;
        match lost {
            Lost::BadFrame(bad) => {
                let code = bad.close_code();
                conversation.close(Some(code), CLOSE_TIMEOUT).await;
            }
            Lost::BadPacket => {
                // The close of Engine.IO.
                conversation.send("1");
                conversation.close(None, CLOSE_TIMEOUT).await;
            }
            Lost::Left => conversation.close(None, CLOSE_TIMEOUT).await,
            Lost::Closed => conversation.finish_writing(CLOSE_TIMEOUT).await,
            Lost::Gone | Lost::Slow | Lost::PingTimeout | Lost::TooMuch | Lost::Elsewhere(_) => {}
        }
    }
}

/// The session.
impl DirectClient {
    /// Attends to a session until it has ended. Returns why it has.
    async fn attend(&mut self, member: &mut JoinedSession) -> EndReason {
        while self.drive(member).await == Driven::Resting {
            self.rest(&member.session, &member.inbound).await;
        }
        member.finish();
        let end = member.session.ended_by();
        end.unwrap_or(EndReason::TransportLost)
    }

    /// Drives the session until it is quiet or has ended.
    async fn drive(&mut self, member: &mut JoinedSession) -> Driven {
        let connection = Arc::clone(&self.conversation.connection);
        let Some(driver) = &mut member.driver else {
            return Driven::Ended;
        };
        let mut writer = &*connection;
        // If an embedder's code panics, the connection still ends in order.
        let driving = AssertUnwindSafe(driver.drive_until_quiet(&connection.wake, &mut writer));
        // In a box of its own, so that a session that rests takes no memory for it.
        let mut driving = Box::pin(driving.catch_unwind());
        let mut is_lost = false;
        loop {
            tokio::select! {
                biased;
                driven = &mut driving => {
                    let Ok(driven) = driven else {
                        break;
                    };
                    return driven;
                }
                heard = self.conversation.next(), if !is_lost => {
                    is_lost = matches!(heard, Heard::Lost(_));
                    let taken = take(&member.node, &member.session, &member.inbound, heard);
                    self.answer_elsewhere(taken);
                }
            }
        }
        // The work of the session cannot go on after a panic.
        drop(driving);
        member.driver = None;
        Driven::Ended
    }

    /// Waits until there is something to do for the session.
    async fn rest(&mut self, session: &Session, inbound: &InboundQueue) {
        let connection = Arc::clone(&self.conversation.connection);
        self.conversation.set_alarm(session.next_expiry_check());
        session.free_memory();
        connection.set_resting(true);
        loop {
            let heard = tokio::select! {
                biased;
                () = connection.wake.notified() => break,
                heard = self.conversation.next() => heard,
            };
            let is_pong = heard == Heard::Packet(ClientPacket::Pong);
            let taken = take(&self.engine.node, session, inbound, heard);
            self.answer_elsewhere(taken);
            if !is_pong {
                break;
            }
        }
        connection.set_resting(false);
        self.conversation.set_alarm(None);
    }

    fn answer_elsewhere(&self, namespace: Option<String>) {
        if let Some(name) = namespace {
            self.refuse_namespace(&name);
        }
    }
}

/// Passes what a client has sent to its session. Returns the namespace that it asks for, if it asks
/// for another one.
fn take(node: &Node, session: &Session, inbound: &InboundQueue, heard: Heard) -> Option<String> {
    match heard {
        Heard::Packet(ClientPacket::Event(event)) => inbound.offer(session, event.into()),
        Heard::Packet(ClientPacket::Leave) => node.end(session, EndReason::ClientLeft),
        Heard::Packet(ClientPacket::Pong) => {
            session.note_progress();
            // Also of a session that is never driven: what it delivered may be long ago.
            session.free_memory();
        }
        Heard::Packet(ClientPacket::ConnectElsewhere(name)) => return Some(name),
        // A client that is in the namespace need not connect. The alarm is for the session's token,
        // which it looks at when it is driven.
        Heard::Packet(ClientPacket::Connect(_)) | Heard::Alarm => {}
        Heard::Lost(lost) => node.end(session, lost.end_reason()),
    }
    None
}
