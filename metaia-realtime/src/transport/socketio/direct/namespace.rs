//! A client in the namespace `/`: it connects, has a session, leaves, and may connect again.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{
    conversation::{Conversation, Heard, Lost},
    packet::ClientPacket,
    port::DirectPort,
};
use crate::{
    auth::AuthError,
    node::{AdmissionRefusal, ClientDescription, Node, ProtocolRefusal, TransportKind},
    session::{Driven, EndReason, InboundQueue, Session, SessionDriver},
    transport::socketio::{
        connect::{authenticate, begin_session, refuse},
        credentials::{ConnectAuth, bearer_credentials},
        engine::Engine,
        handshake::{OpeningHandshake, description},
        joined_session::JoinedSession,
        sid::random_sid,
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
enum ConnectionEnd {
    Lost(Lost),
    /// The client did not get into the namespace in time, or is to come back later: its connection
    /// ends without an answer.
    Closed,
    /// The client was refused too often.
    Refused,
    /// The server has ended the session.
    Session(EndReason),
}

/// The answer to a CONNECT.
enum Answer {
    Accepted(Box<JoinedSession>),
    Refused(AuthError),
    TimedOut,
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

    /// Waits for a CONNECT that is accepted.
    async fn join(&mut self, deadline: Instant) -> Result<Box<JoinedSession>, ConnectionEnd> {
        // A client that comes back in time has as long again for its answer.
        let answer_time = match self.joins {
            0 => Duration::ZERO,
            _ => self.engine.node.limits().unauthenticated,
        };
        loop {
            let auth = self.next_connect(deadline).await?;
            match self.answer(&auth, after(deadline, answer_time)).await {
                Answer::Accepted(member) => return Ok(member),
                Answer::Refused(AuthError::Unavailable) | Answer::TimedOut => {
                    // A client stays away after a `connect_error`. This one should reconnect.
                    return Err(ConnectionEnd::Closed);
                }
                Answer::Refused(error) => self.refuse(error)?,
            }
        }
    }

    /// Waits for the next CONNECT.
    async fn next_connect(&mut self, deadline: Instant) -> Result<String, ConnectionEnd> {
        loop {
            let heard = timeout_at(deadline, self.conversation.next()).await;
            match heard.map_err(|_| self.end_without_connect())? {
                Heard::Packet(ClientPacket::Connect(auth)) => return Ok(auth),
                Heard::Packet(ClientPacket::ConnectElsewhere(name)) => {
                    self.refuse_namespace(&name);
                }
                // An event before any CONNECT. Later ones come from a client that does not know yet
                // that it was refused.
                Heard::Packet(ClientPacket::Event(_) | ClientPacket::Leave)
                    if self.joins + self.refused == 0 =>
                {
                    self.record(ProtocolRefusal::NotConnected);
                    return Err(ConnectionEnd::Lost(Lost::BadPacket));
                }
                Heard::Packet(_) | Heard::Alarm => {}
                Heard::Lost(lost) => return Err(ConnectionEnd::Lost(lost)),
            }
        }
    }

    /// Returns the end of a connection whose CONNECT has not come in time.
    fn end_without_connect(&self) -> ConnectionEnd {
        if self.joins + self.refused == 0 {
            self.record(ProtocolRefusal::NoConnect);
        }
        ConnectionEnd::Closed
    }

    /// Records that the client does not speak the protocol.
    fn record(&self, refusal: ProtocolRefusal) {
        let counters = self.engine.node.counters();
        counters.refuse_protocol(refusal, self.client());
    }

    /// Returns the client, with what is still known of its handshake.
    fn client(&self) -> ClientDescription {
        let client = self.handshake.client.as_deref();
        description(client, TransportKind::WebSocket)
    }

    /// Answers a CONNECT. Further packets of the client wait until the answer is known.
    async fn answer(&mut self, auth: &str, deadline: Instant) -> Answer {
        if self.joins > 0 && !self.may_return() {
            let counters = self.engine.node.counters();
            counters.refuse_session(AdmissionRefusal::TooManyConnects, self.client(), None);
            return Answer::Refused(AuthError::Unavailable);
        }
        let auth: Value = serde_json::from_str(auth).unwrap_or_default();
        let auth = ConnectAuth::read(&auth);
        let node = &self.engine.node;
        let max_token = node.limits().token_bytes;
        let credentials = bearer_credentials(&auth, self.handshake.token.as_deref(), max_token);
        let client = self.handshake.client.as_deref();
        let client = || description(client, TransportKind::WebSocket);
        let port = Arc::new(DirectPort::new(&self.conversation.connection));
        let beginning = async {
            let identity = authenticate(node, &credentials, client).await?;
            let session = begin_session(node, identity, auth, port, client).await;
            session.ok_or(AuthError::Unavailable)
        };
        let begun = tokio::select! {
            biased;
            begun = Box::pin(beginning) => begun,
            () = sleep_until(deadline) => {
                refuse(node, AuthError::Unavailable, &credentials, client());
                return Answer::TimedOut;
            }
            () = self.conversation.hold() => return Answer::TimedOut,
        };
        match begun {
            Ok(session) => Answer::Accepted(Box::new(self.accept(session))),
            Err(error) => Answer::Refused(error),
        }
    }

    /// Returns whether a client may come back over the same connection. The first CONNECT belongs
    /// to the handshake, which was counted.
    fn may_return(&self) -> bool {
        // Each session leaves frames behind. A client that does not read must not gather them.
        let window = self.engine.node.limits().window_entries;
        self.conversation.connection.queued() <= window && self.engine.takes_handshake()
    }

    fn accept(&mut self, session: Arc<Session>) -> JoinedSession {
        let node = Arc::clone(&self.engine.node);
        self.conversation.budget.join();
        self.handshake.client = None;
        self.joins += 1;
        let sid = json!({ "sid": random_sid() });
        self.conversation.send(&format!("40{sid}"));
        let (inbound, events) = InboundQueue::new(node.limits());
        let driver = SessionDriver::new(Arc::clone(&session), Arc::clone(&node), events);
        JoinedSession {
            node,
            session,
            inbound,
            driver: Some(driver),
        }
    }

    /// Answers a CONNECT with a refusal. Returns the end of the connection if the client
    /// has been refused too often.
    fn refuse(&mut self, error: AuthError) -> Result<(), ConnectionEnd> {
        let refusal = json!({ "message": error.code() });
        self.conversation.send(&format!("44{refusal}"));
        self.refused += 1;
        if self.is_refused() {
            return Err(ConnectionEnd::Refused);
        }
        Ok(())
    }

    /// Returns whether the client has been refused too often.
    fn is_refused(&self) -> bool {
        self.refused >= self.engine.node.limits().refused_connects
    }

    fn refuse_namespace(&self, name: &str) {
        self.record(ProtocolRefusal::InvalidNamespace);
        let refusal = json!({ "message": "Invalid namespace" });
        self.conversation.send(&format!("44{name},{refusal}"));
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
