//! What stands before several nodes: it gives each connection to one of them, in turn, and leaves
//! out those who take none. It knows nothing of HTTP, so that clients come by WebSocket only, or
//! else it is told one node for all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::server::Listening;
use crate::server::ports::Port;

/// A balancer. Dropping it ends all that it carries.
#[derive(Debug)]
pub struct Balancer {
    port: u16,
    state: watch::Sender<State>,
}

#[derive(Debug, Clone, Default)]
struct State {
    /// Where new connections may go.
    doors: Vec<Port>,
    /// Rises when all connections are to be dropped.
    cuts: u64,
}

impl Balancer {
    /// One before these.
    pub async fn before(doors: Vec<Port>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = watch::Sender::new(State { doors, cuts: 0 });
        tokio::spawn(accept(listener, state.subscribe()));
        Self { port, state }
    }

    /// New connections go to these only; those that are there stay.
    pub fn lead_to(&self, doors: Vec<Port>) {
        self.state.send_modify(|state| state.doors = doors);
    }

    /// Drops all connections; new ones are taken at once.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    /// The same address, for those who outlive a borrow.
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

async fn accept(listener: TcpListener, mut state: watch::Receiver<State>) {
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

/// One connection, until either side ends it or it is cut.
async fn carry(mut client: TcpStream, mut state: watch::Receiver<State>, turn: Arc<AtomicUsize>) {
    let State { doors, cuts } = state.borrow_and_update().clone();
    let Some(mut node) = reach(&doors, turn.fetch_add(1, Ordering::Relaxed)).await else {
        return;
    };
    let _ = (client.set_nodelay(true), node.set_nodelay(true));
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut node) => (),
        _ = state.wait_for(|state| state.cuts > cuts) => (),
    }
}

async fn reach(doors: &[Port], turn: usize) -> Option<TcpStream> {
    for offset in 0..doors.len() {
        let Port(port) = doors[(turn + offset) % doors.len()];
        if let Ok(node) = TcpStream::connect(("127.0.0.1", port)).await {
            return Some(node);
        }
    }
    None
}
