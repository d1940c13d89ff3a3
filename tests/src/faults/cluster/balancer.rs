//! A TCP balancer in front of several nodes. It gives each connection to the next node in turn, and
//! skips nodes that do not accept. It does not read HTTP, so that long polling would reach
//! different nodes: clients use WebSocket only, or the balancer has one node.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::server::Listening;
use crate::server::ports::Port;

/// A balancer. Dropping it closes all of its connections.
#[derive(Debug)]
pub struct Balancer {
    port: u16,
    state: watch::Sender<BalancerState>,
}

#[derive(Debug, Clone, Default)]
struct BalancerState {
    /// The nodes to which new connections may go.
    nodes: Vec<Port>,
    /// Counts up when all connections are to be dropped.
    cuts: u64,
}

impl Balancer {
    /// Starts a balancer in front of these nodes.
    pub async fn start(nodes: Vec<Port>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = watch::Sender::new(BalancerState { nodes, cuts: 0 });
        tokio::spawn(accept(listener, state.subscribe()));
        Self { port, state }
    }

    /// Sends new connections to these nodes only. Existing connections stay.
    pub fn route_to(&self, nodes: Vec<Port>) {
        self.state.send_modify(|state| state.nodes = nodes);
    }

    /// Drops all connections. New ones are accepted immediately.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    /// Returns the balancer's address as a value that outlives a borrow of the balancer.
    #[must_use]
    pub fn door(&self) -> Port {
        Port(self.port)
    }
}

impl Listening for Balancer {
    fn port(&self) -> u16 {
        self.port
    }
}

async fn accept(listener: TcpListener, mut state: watch::Receiver<BalancerState>) {
    let turn = Arc::new(AtomicUsize::new(0));
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((client, _)) = accepted {
                tokio::spawn(carry(client, state.clone(), turn.clone()));
            },
            changed = state.changed() => if changed.is_err() { return },
        }
    }
}

/// Forwards one connection until either side closes it or it is cut.
async fn carry(
    mut client: TcpStream,
    mut state: watch::Receiver<BalancerState>,
    turn: Arc<AtomicUsize>,
) {
    let BalancerState { nodes, cuts } = state.borrow_and_update().clone();
    let Some(mut node) = reach(&nodes, turn.fetch_add(1, Ordering::Relaxed)).await else {
        return;
    };
    let _ = client.set_nodelay(true);
    let _ = node.set_nodelay(true);
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut node) => (),
        _ = state.wait_for(|state| state.cuts > cuts) => (),
    }
}

async fn reach(nodes: &[Port], turn: usize) -> Option<TcpStream> {
    for offset in 0..nodes.len() {
        let Port(port) = nodes[(turn + offset) % nodes.len()];
        if let Ok(node) = TcpStream::connect(("127.0.0.1", port)).await {
            return Some(node);
        }
    }
    None
}
