//! A client as the session's task sees it: what it sends is offered to the queue, what it is
//! written is kept as text.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{log::Log, unreadable::head};
use crate::{
    AccessDecision, AccessError, Identity, JwtAuthenticator, Limits, OrderAccess, OrderId, Role,
    node::{Node, NodeParts, Window},
    session::{
        BeforeStart, ConnectRequest, EndReason, Inbound, InboundQueue, Outgoing, Phase, Port,
        Progress, Session, drive,
    },
};

/// The ack of an event beyond a limit.
pub(super) const RATE_LIMITED: &str = r#"{"status":"error","code":"rate_limited"}"#;

/// A policy that allows everyone at once, and counts how often it is asked.
#[derive(Clone, Default)]
pub(super) struct CountingPolicy(Arc<AtomicUsize>);

impl CountingPolicy {
    pub(super) fn asked(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl OrderAccess for CountingPolicy {
    async fn may_join(&self, _: &Identity, _: &OrderId) -> Result<AccessDecision, AccessError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(AccessDecision::Allowed)
    }
}

/// Returns a node whose sessions may be in `rooms` rooms.
pub(super) fn node_with(policy: impl OrderAccess, rooms: usize) -> Arc<Node> {
    let log = Log::large();
    let authenticator = JwtAuthenticator::hs256("secret").unwrap();
    let parts = NodeParts {
        log: Arc::new(log.clone()),
        access: Arc::new(policy),
        limits: Limits {
            rooms_per_session: rooms,
            ..Limits::default()
        },
        ..NodeParts::default()
    };
    let window = Window::new(head(&log));
    Arc::new(Node::new(window, Arc::new(authenticator), parts))
}

#[derive(Default)]
struct PhonePort(Notify);

impl Port for PhonePort {
    fn wake(&self) {
        self.0.notify_one();
    }
    fn progress(&self) -> Option<Progress> {
        None
    }
    fn close(&self, _: EndReason) {}
}

pub(super) struct Phone {
    pub(super) session: Arc<Session>,
    queue: InboundQueue,
    written: Arc<Mutex<Vec<String>>>,
    last_id: Cell<i64>,
}

impl Phone {
    /// Connects a client of `user`.
    pub(super) fn connect(node: &Arc<Node>, user: &str) -> Self {
        let identity = Identity::new(user.parse().unwrap(), Role::Customer);
        Self::connect_as(node, identity, ConnectRequest::default())
    }

    pub(super) fn connect_as(
        node: &Arc<Node>,
        identity: Identity,
        request: ConnectRequest,
    ) -> Self {
        let port = Arc::new(PhonePort::default());
        let phase = Phase::NotBegun(BeforeStart::new(request, Some(node.window().head())));
        let session = Session::new(node, identity, None, phase, Arc::clone(&port) as _);
        let session = Arc::new(session);
        assert!(node.register(&session).is_ok());
        let (queue, events) = InboundQueue::new(node.limits());
        let written = Arc::new(Mutex::new(Vec::new()));
        let phone = Self {
            session: Arc::clone(&session),
            queue,
            written: Arc::clone(&written),
            last_id: Cell::new(0),
        };
        let node = Arc::clone(node);
        node.tasks().clone().spawn(async move {
            let write = |outgoing| {
                written.lock().push(text(&outgoing));
                Ok(())
            };
            drive(
                session,
                node,
                events,
                &port.0,
                &AtomicBool::new(false),
                write,
            )
            .await;
        });
        phone
    }

    /// Emits an event that asks for an ack. Returns its id.
    pub(super) fn emit(&self, name: &str, argument: Value) -> i64 {
        let id = self.last_id.get() + 1;
        self.last_id.set(id);
        self.offer(json!([name, argument]).to_string(), Some(id));
        id
    }

    /// Emits an event that asks for no ack.
    pub(super) fn emit_without_ack(&self, name: &str, argument: Value) {
        self.offer(json!([name, argument]).to_string(), None);
    }

    fn offer(&self, json: String, ack: Option<i64>) {
        self.queue.offer(&self.session, Inbound { json, ack });
    }

    /// Returns everything that was written.
    pub(super) fn written(&self) -> Vec<String> {
        self.written.lock().clone()
    }

    /// Returns the acks so far, with their ids.
    pub(super) fn acks(&self) -> Vec<(i64, String)> {
        let acks = self.written();
        acks.iter()
            .filter_map(|packet| packet.strip_prefix("ack "))
            .map(|ack| {
                let (id, answer) = ack.split_once(' ').unwrap();
                (id.parse().unwrap(), answer.to_owned())
            })
            .collect()
    }

    /// Waits until `count` acks were written.
    pub(super) async fn wait_for_acks(&self, count: usize) -> Vec<(i64, String)> {
        loop {
            // Before the check: a write between the two is not missed.
            let written = self.session.written.notified();
            let acks = self.acks();
            if acks.len() >= count {
                return acks;
            }
            written.await;
        }
    }

    /// Waits until the session has ended and its task has written the last packet.
    pub(super) async fn wait_for_end(&self, node: &Node) {
        node.tasks().close();
        node.tasks().wait().await;
    }
}

fn text(packet: &Outgoing) -> String {
    match packet {
        Outgoing::Entry(entry, _) => format!("{} {}", entry.content().name(), entry.stamped()),
        Outgoing::Volatile(event) => format!("{} {}", event.name.as_str(), event.payload),
        Outgoing::Control { name, payload, .. } => format!("{name} {payload}"),
        Outgoing::Ack { id, answer } => format!("ack {id} {answer}"),
        Outgoing::End {
            payload,
            stays_away,
        } => format!(
            "rt:end {payload}{}",
            if *stays_away { " DISCONNECT" } else { "" }
        ),
    }
}
