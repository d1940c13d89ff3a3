//! Connections in the stories: the client connects, and its session starts.

use std::sync::Arc;

use super::{
    super::{BeforeStart, ConnectRequest, EndReason, Phase, Session, resume::StartPoint},
    log::Log,
    world::{CountingPort, World, now},
};
use crate::{
    EventLog as _, Identity, JwtAuthenticator, Limits, OrderId, Role, Room,
    node::{Entered, Node, NodeParts, Window},
};

/// A way to connect.
#[derive(Debug, Clone, Copy)]
pub(super) enum Connect {
    /// Its session has started before anything else happens.
    AtOnce,
    /// Its session starts by later steps.
    InSteps,
    /// Its session starts by later steps after `rt:resume`.
    WithResume,
}

impl World {
    /// Breaks the line: what was sent and not received is gone. The client reconnects with its last
    /// position, and asks for the order rooms that it was in.
    pub(super) fn reconnect(&mut self, how: Connect) -> Result<(), String> {
        self.client.check_so_far()?;
        let orders = self.wanted_orders();
        self.node.end(&self.session, EndReason::TransportLost);
        self.connect_again(orders, how);
        Ok(())
    }

    /// Kills the server, and starts it again on the same log.
    pub(super) fn crash(&mut self) -> Result<(), String> {
        self.client.check_so_far()?;
        let orders = self.wanted_orders();
        self.node = node(&self.log);
        self.connect_again(orders, Connect::AtOnce);
        Ok(())
    }

    fn wanted_orders(&self) -> Vec<OrderId> {
        let mut orders = self.orders.clone();
        orders.extend(self.session.rooms().iter().filter_map(Room::order).cloned());
        orders
    }

    fn connect_again(&mut self, orders: Vec<OrderId>, how: Connect) {
        self.read = None;
        self.head_readings.clear();
        self.taken = 0;
        self.orders = orders;
        self.port = Arc::new(CountingPort::default());
        let phase = match how {
            Connect::AtOnce | Connect::InSteps => Phase::NotBegun(before_start(&self.log)),
            Connect::WithResume => Phase::AwaitingResume(before_start(&self.log)),
        };
        self.session = connect(&self.node, self.role, phase, &self.port);
        self.is_disconnected = false;
        self.undecided.clear();
        self.client.connects(self.session.started_at.epoch());
        if matches!(how, Connect::AtOnce) {
            self.start();
            self.take();
        }
    }

    /// Starts the session at once.
    pub(super) fn start(&mut self) {
        self.begin_start();
        self.complete_start();
    }

    /// Begins the start, if the session does not await `rt:resume`: it joins the rooms that the
    /// client asks for.
    pub(super) fn begin_start(&mut self) {
        let has_begun = self.session.state().begin_start().is_some();
        if !has_begun {
            return;
        }
        for order in std::mem::take(&mut self.orders) {
            let mut join = self.node.registry().begin_join(&order);
            let join_state = |session: &Session, room| session.state().join(room, 0);
            let registry = self.node.registry();
            let entered = registry.enter(&self.session, &mut join, join_state);
            assert_eq!(entered, Entered::Yes);
        }
    }

    /// Completes the start. What the log has by then is dispatched before.
    pub(super) fn complete_start(&mut self) {
        self.dispatch_all();
        let point = self.start_point();
        let head = self.node.window().head();
        let after = match point {
            StartPoint::Resumed(since) => since.n(),
            StartPoint::Reset(_) => head.n(),
            StartPoint::Head => {
                let at_connect = self.session.started_at;
                if at_connect.epoch() == head.epoch() {
                    at_connect.n()
                } else {
                    head.n()
                }
            }
        };
        self.session.start_from(&self.node, point);
        self.client.begins(self.session.rooms(), after);
    }

    fn start_point(&self) -> StartPoint {
        let Some(since) = self.client.since else {
            return StartPoint::Head;
        };
        let limit = self.node.limits().replay_entries;
        match now(self.session.judge_resume(&self.node, since, limit)).unwrap() {
            Ok(_) => StartPoint::Resumed(since),
            Err(reason) => StartPoint::Reset(reason),
        }
    }
}

/// Returns what is known of a client that connects now.
pub(super) fn before_start(log: &Log) -> BeforeStart {
    let head = now(log.head()).unwrap().position;
    BeforeStart::new(ConnectRequest::default(), Some(head))
}

/// Registers the session of a client that connects.
pub(super) fn connect(
    node: &Node,
    role: Role,
    phase: Phase,
    port: &Arc<CountingPort>,
) -> Arc<Session> {
    let identity = Identity::new("c1".parse().unwrap(), role);
    let session = Arc::new(Session::new(
        node,
        identity,
        None,
        phase,
        Arc::clone(port) as _,
    ));
    assert!(node.register(&session).is_ok());
    session
}

/// Returns a node on this log.
pub(super) fn node(log: &Log) -> Node {
    let limits = Limits {
        window_entries: 4,
        window_bytes: 2_000,
        replay_entries: 1_000,
        ..Limits::default()
    };
    let authenticator = JwtAuthenticator::hs256("secret").unwrap();
    let parts = NodeParts {
        log: Arc::new(log.clone()),
        limits,
        ..NodeParts::default()
    };
    let window = now(Window::from_log_bounded(&*parts.log, 6, 100_000)).unwrap();
    Node::new(window, Arc::new(authenticator), parts)
}
