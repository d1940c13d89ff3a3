//! The subject of the benches: a node whose sessions have clients that take everything at once. It
//! is not part of the API.

use std::{error::Error, sync::Arc};

use serde_json::json;

use crate::{
    Identity, JwtAuthenticator, MemoryLog, NewEntry, Role, Room,
    node::{Node, NodeParts, Window, dispatch},
    session::{BeforeStart, Outgoing, Phase, Session, SilentPort},
};

/// A node with live sessions, all of them customers.
pub struct Bench {
    log: MemoryLog,
    node: Node,
    sessions: Vec<Arc<Session>>,
}

impl Bench {
    /// Connects `sessions` sessions, and waits until all are live.
    pub async fn new(sessions: usize) -> Result<Self, Box<dyn Error>> {
        let log = MemoryLog::default();
        let window = Window::new(crate::EventLog::head(&log).await?.position);
        let authenticator = JwtAuthenticator::hs256("a secret that signs nothing here")?;
        let node = Node::new(
            window,
            Arc::new(authenticator),
            NodeParts {
                log: Arc::new(log.clone()),
                ..NodeParts::default()
            },
        );
        let mut bench = Self {
            log,
            node,
            sessions: Vec::new(),
        };
        for i in 0..sessions {
            let identity = Identity::new(format!("u{i}").parse()?, Role::Customer);
            bench.connect(identity).await;
        }
        Ok(bench)
    }

    async fn connect(&mut self, identity: Identity) {
        let session = Arc::new(Session::new(
            &self.node,
            identity,
            None,
            Phase::NotBegun(BeforeStart::default()),
            Arc::new(SilentPort),
        ));
        self.node.register(&session).ok();
        session.catch_up(&self.node).await;
        self.sessions.push(session);
        self.drain();
    }

    /// Publishes an event of about 300 bytes to all sessions, dispatches it, and takes the outgoing
    /// entries from each session. Returns their payload in bytes.
    pub async fn publish_and_drain(&self) -> Result<usize, Box<dyn Error>> {
        let event = NewEntry::event([Room::Role(Role::Customer)], ("order_update", order()))?;
        self.log.append_now(vec![event]);
        dispatch(&self.node).await?;
        Ok(self.drain())
    }

    fn drain(&self) -> usize {
        let mut bytes = 0;
        for session in &self.sessions {
            while let Some(outgoing) = session.take() {
                if let Outgoing::Entry(entry, _) = outgoing {
                    bytes += entry.stamped().get().len();
                }
            }
        }
        bytes
    }
}

impl std::fmt::Debug for Bench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bench")
            .field("sessions", &self.sessions.len())
            .finish_non_exhaustive()
    }
}

fn order() -> serde_json::Value {
    json!({
        "_id": "60d5f4832f8fb814b56fa181",
        "orderNumber": "MT-261123-KPG66K",
        "customer": "u1",
        "tailor": "t1",
        "items": [{ "garment": "kurta", "quantity": 2, "price": 80_500 }],
        "amount": 161_000,
        "currency": "INR",
        "status": "in_progress",
        "version": 4
    })
}
