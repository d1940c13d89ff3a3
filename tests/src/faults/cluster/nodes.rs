//! Several `metaia-server` processes on one database. Each one has its own folder and a fixed port.

use std::ops::Index;
use std::path::Path;

use super::Redis;
use crate::server::ports::Port;
use crate::server::{Listening as _, Server, Setup};
use crate::upgrade::old_server;

/// The key with which nodes sign their messages over Redis.
const CLUSTER_KEY: &str = "e2e-cluster-key-5f1d7a0c9b3e46288d54";

/// Returns the setup of a node with this database, this Redis if there is one, and a fixed port.
#[must_use]
pub fn node(mongodb_uri: &str, redis: Option<&Redis>) -> Setup {
    let limits = "rest_per_s=100000,handshakes_per_s=100000";
    let setup = Setup::new()
        .with_fixed_port()
        .env("MONGODB_URI", mongodb_uri)
        .env("METAIA_LIMITS", limits);
    match redis {
        Some(redis) => setup
            .env("REDIS_URL", &redis.url())
            .env("METAIA_CLUSTER_KEY", CLUSTER_KEY),
        None => setup,
    }
}

/// The nodes, by index. Dropping them kills all processes.
#[derive(Debug)]
pub struct Nodes {
    nodes: Vec<Node>,
}

#[derive(Debug)]
enum Node {
    Running(Box<Server>),
    Down(Box<Setup>),
    /// The state while the node is started or stopped.
    Between,
}

impl Nodes {
    /// Starts `count` nodes on this database. With `METAIA_OLD_SERVER` every second node, the first
    /// one among them, is of that earlier version.
    pub async fn start(count: usize, mongodb_uri: &str, redis: Option<&Redis>) -> Self {
        let old = old_server();
        let mut setups = Vec::new();
        for index in 0..count {
            let setup = node(mongodb_uri, redis);
            setups.push(match &old {
                Some(old) if index % 2 == 0 => setup.program(old),
                _ => setup,
            });
        }
        Self::start_all(setups).await
    }

    /// Starts these nodes at the same time.
    pub async fn start_all(setups: Vec<Setup>) -> Self {
        let starting = setups.into_iter().map(Setup::start);
        let servers = futures_util::future::join_all(starting).await;
        Self {
            nodes: servers
                .into_iter()
                .map(|server| Node::Running(Box::new(server)))
                .collect(),
        }
    }

    /// Returns the number of nodes, running or not.
    #[must_use]
    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    /// Returns the address of a node, running or not.
    #[must_use]
    pub fn port(&self, node: usize) -> Port {
        match &self.nodes[node] {
            Node::Running(server) => Port(server.port()),
            Node::Down(setup) => Port(setup.fixed_port().expect("a node keeps its port")),
            Node::Between => panic!("node {node} is neither up nor down"),
        }
    }

    /// Returns the addresses of all nodes.
    #[must_use]
    pub fn ports(&self) -> Vec<Port> {
        (0..self.count()).map(|node| self.port(node)).collect()
    }

    /// Returns the running nodes.
    pub fn running(&self) -> impl Iterator<Item = &Server> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Running(server) => Some(&**server),
            _ => None,
        })
    }

    /// Waits until every running node is ready.
    pub async fn ready(&self) {
        for server in self.running() {
            server.ready().await;
        }
    }

    /// Kills a node with SIGKILL, as a power cut would.
    pub async fn kill(&mut self, node: usize) {
        let setup = self.take(node).kill().await;
        self.nodes[node] = Node::Down(Box::new(setup));
    }

    /// Stops a node with SIGTERM and checks that it exits with 0.
    pub async fn stop(&mut self, node: usize) {
        let setup = self.take(node).stop().await;
        self.nodes[node] = Node::Down(Box::new(setup));
    }

    /// Starts a node that is down, with the same port and folder.
    pub async fn restart(&mut self, node: usize) {
        let Node::Down(setup) = std::mem::replace(&mut self.nodes[node], Node::Between) else {
            panic!("node {node} is not down");
        };
        self.nodes[node] = Node::Running(Box::new(setup.start().await));
    }

    /// Starts a node that is down as another program, with the same port and folder.
    pub async fn restart_as(&mut self, node: usize, program: &Path) {
        let Node::Down(setup) = std::mem::replace(&mut self.nodes[node], Node::Between) else {
            panic!("node {node} is not down");
        };
        let setup = setup.program(program);
        self.nodes[node] = Node::Running(Box::new(setup.start().await));
    }

    /// Restarts the nodes one after the other with SIGTERM. A node is stopped after the previous
    /// one is ready again. `each` is called with the node's index before each stop.
    pub async fn roll(&mut self, mut each: impl AsyncFnMut(&Self, usize)) {
        for node in 0..self.count() {
            each(self, node).await;
            self.stop(node).await;
            self.restart(node).await;
            self[node].ready().await;
        }
    }

    fn take(&mut self, node: usize) -> Server {
        match std::mem::replace(&mut self.nodes[node], Node::Between) {
            Node::Running(server) => *server,
            _ => panic!("node {node} does not run"),
        }
    }
}

impl Index<usize> for Nodes {
    type Output = Server;

    fn index(&self, node: usize) -> &Server {
        match &self.nodes[node] {
            Node::Running(server) => server,
            _ => panic!("node {node} does not run"),
        }
    }
}
