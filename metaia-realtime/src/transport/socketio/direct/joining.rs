//! A client outside the namespace `/`: it sends CONNECT, and joins the namespace or is refused.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{
    conversation::{Heard, Lost},
    namespace::{ConnectionEnd, DirectClient},
    packet::ClientPacket,
    port::DirectPort,
};
use crate::{
    auth::AuthError,
    node::{AdmissionRefusal, ClientDescription, ProtocolRefusal, TransportKind},
    session::{InboundQueue, Session, SessionDriver},
    transport::socketio::{
        connect::{authenticate, begin_session, refuse},
        credentials::{ConnectAuth, bearer_credentials},
        handshake::description,
        joined_session::JoinedSession,
        sid::random_sid,
    },
    values::after,
};

/// The answer to a CONNECT.
enum Answer {
    Accepted(Box<JoinedSession>),
    Refused(AuthError),
    TimedOut,
}

impl DirectClient {
    /// Waits for a CONNECT that is accepted.
    pub(super) async fn join(
        &mut self,
        deadline: Instant,
    ) -> Result<Box<JoinedSession>, ConnectionEnd> {
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
    pub(super) fn is_refused(&self) -> bool {
        self.refused >= self.engine.node.limits().refused_connects
    }

    /// Answers a CONNECT to another namespace.
    pub(super) fn refuse_namespace(&self, name: &str) {
        self.record(ProtocolRefusal::InvalidNamespace);
        let refusal = json!({ "message": "Invalid namespace" });
        self.conversation.send(&format!("44{name},{refusal}"));
    }
}
