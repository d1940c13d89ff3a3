//! A TCP balancer in front of several nodes. It gives each connection to the next node in turn, and
//! skips nodes that do not accept. It does not read HTTP. A client that polls needs several
//! connections to one node: connections from one address of 127.0.1.x all go to one node, while
//! that accepts.

use std::net::{IpAddr, Ipv4Addr};

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
    let mut turn = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((client, peer)) = accepted {
                let first = home(peer.ip()).unwrap_or(turn);
                tokio::spawn(carry(client, state.clone(), first));
                turn += 1;
            },
            changed = state.changed() => if changed.is_err() { return },
        }
    }
}

/// Returns the node of a client that always comes from the same address.
fn home(client: IpAddr) -> Option<usize> {
    match client {
        IpAddr::V4(address) if address != Ipv4Addr::LOCALHOST => {
            let [.., last] = address.octets();
            Some(last.into())
        }
        _ => None,
    }
}

/// Forwards one connection until either side closes it or it is cut. Nodes that do not accept are
/// skipped, from the `first` one on.
async fn carry(mut client: TcpStream, mut state: watch::Receiver<BalancerState>, first: usize) {
    let BalancerState { nodes, cuts } = state.borrow_and_update().clone();
    let Some(mut node) = reach(&nodes, first).await else {
        return;
    };
    let _ = client.set_nodelay(true);
    let _ = node.set_nodelay(true);
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut node) => (),
        _ = state.wait_for(|state| state.cuts > cuts) => (),
    }
}

async fn reach(nodes: &[Port], first: usize) -> Option<TcpStream> {
    for offset in 0..nodes.len() {
        let Port(port) = nodes[(first + offset) % nodes.len()];
        if let Ok(node) = TcpStream::connect(("127.0.0.1", port)).await {
            return Some(node);
        }
    }
    None
}
