//! A TCP forwarder between a client and a server that can fail as networks do.
//!
//! A forwarder that is down drops its connections and accepts no new ones. A frozen one keeps its
//! connections and forwards nothing, and neither side is notified: the connection is half-open. A
//! slow one forwards a fixed number of bytes a second to the client.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::{Interval, interval};

use crate::server::Listening;
use crate::server::journal::Journal;

/// The receive buffer of the connection to the server. It is small, so that the server soon notices
/// a client that does not read.
const RECEIVE_BUFFER: u32 = 8 * 1024;
/// The number of times per second that a slow forwarder moves bytes.
const STEPS_PER_SECOND: u32 = 10;

/// The behaviour of the forwarder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ForwarderMode {
    Up,
    Down,
    Frozen,
    /// Forwards this number of bytes a second to the client.
    Slow(u64),
}

/// A forwarder to one server. Dropping it closes its connections and its listener.
#[derive(Debug)]
pub struct Forwarder {
    port: u16,
    /// The local ports of its connections to the server, latest last.
    outgoing: Journal<u16>,
    state: watch::Sender<ForwarderMode>,
}

impl Listening for Forwarder {
    fn port(&self) -> u16 {
        self.port
    }
}

impl Forwarder {
    /// Starts a forwarder to the server's port, whether or not a server listens there now.
    pub async fn to(server: &impl Listening) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = watch::Sender::new(ForwarderMode::Up);
        let outgoing = Journal::default();
        let exchange = Exchange {
            server: server.port(),
            outgoing: outgoing.clone(),
            state: state.subscribe(),
        };
        tokio::spawn(exchange.accept(listener));
        Self {
            port,
            outgoing,
            state,
        }
    }

    /// Drops all connections and accepts no new ones.
    pub fn down(&self) {
        self.state.send_replace(ForwarderMode::Down);
    }

    /// Returns the port from which the server sees the latest connection.
    #[must_use]
    pub fn latest_port(&self) -> u16 {
        *self
            .outgoing
            .so_far()
            .last()
            .expect("a connection through this forwarder")
    }

    /// Forwards again.
    pub fn up(&self) {
        self.state.send_replace(ForwarderMode::Up);
    }

    /// Drops all connections. New ones are accepted immediately.
    pub fn cut(&self) {
        self.down();
        self.up();
    }

    /// Stops forwarding and keeps all connections open. Neither side is notified.
    pub fn freeze(&self) {
        self.state.send_replace(ForwarderMode::Frozen);
    }

    /// Limits what is forwarded to the client to this number of bytes a second.
    pub fn slow_down(&self, bytes_per_second: u64) {
        self.state
            .send_replace(ForwarderMode::Slow(bytes_per_second));
    }
}

#[derive(Debug, Clone)]
struct Exchange {
    server: u16,
    outgoing: Journal<u16>,
    state: watch::Receiver<ForwarderMode>,
}

impl Exchange {
    async fn accept(mut self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = ended(&mut self.state) => return,
            };
            let up = *self.state.borrow() != ForwarderMode::Down;
            if let (Ok((phone, _)), true) = (accepted, up) {
                tokio::spawn(self.clone().forward(phone));
            }
        }
    }

    /// Forwards one connection until either side closes it or the forwarder goes down.
    async fn forward(self, phone: TcpStream) {
        let Some(server) = self.dial().await else {
            return;
        };
        let _ = phone.set_nodelay(true);
        let (from_phone, to_phone) = phone.into_split();
        let (from_server, to_server) = server.into_split();
        let mut life = self.state.clone();
        tokio::select! {
            () = pump(from_phone, to_server, self.state.clone(), false) => (),
            () = pump(from_server, to_phone, self.state, true) => (),
            _ = life.wait_for(|state| *state == ForwarderMode::Down) => (),
        }
    }

    async fn dial(&self) -> Option<TcpStream> {
        let socket = TcpSocket::new_v4().ok()?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER).ok()?;
        let stream = socket
            .connect(([127, 0, 0, 1], self.server).into())
            .await
            .ok()?;
        stream.set_nodelay(true).ok()?;
        self.outgoing.push(stream.local_addr().ok()?.port());
        Some(stream)
    }
}

/// Returns when the forwarder is dropped.
async fn ended(state: &mut watch::Receiver<ForwarderMode>) {
    while state.changed().await.is_ok() {}
}

/// Copies bytes in one direction. Bytes that were read before a freeze are forwarded after it.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: watch::Receiver<ForwarderMode>,
    to_phone: bool,
) {
    let mut pace = Pace {
        state,
        beat: interval(Duration::from_secs(1) / STEPS_PER_SECOND),
        to_phone,
    };
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let most = pace.allowance().await.min(bytes.len());
        let Ok(count @ 1..) = from.read(&mut bytes[..most]).await else {
            return;
        };
        pace.allowance().await;
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

struct Pace {
    state: watch::Receiver<ForwarderMode>,
    beat: Interval,
    to_phone: bool,
}

impl Pace {
    /// Waits until bytes may be forwarded and returns how many.
    async fn allowance(&mut self) -> usize {
        loop {
            let state = *self.state.borrow_and_update();
            match state {
                ForwarderMode::Slow(bytes) if self.to_phone => {
                    self.beat.tick().await;
                    return usize::try_from(bytes / u64::from(STEPS_PER_SECOND))
                        .expect("a rate")
                        .max(1);
                }
                ForwarderMode::Frozen => {
                    if self.state.changed().await.is_err() {
                        return 0;
                    }
                }
                ForwarderMode::Up | ForwarderMode::Down | ForwarderMode::Slow(_) => {
                    return usize::MAX;
                }
            }
        }
    }
}
