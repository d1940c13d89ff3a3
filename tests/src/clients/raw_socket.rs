//! The line between a phone and the server: a forwarder that can break as lines do.
//!
//! A line that is down drops its connections and takes no new ones. A frozen one keeps them and
//! forwards nothing, so that neither side is told: the other one is half-open. A slow one forwards
//! so many bytes a second to the phone.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::{Interval, interval};

use crate::server::Listening;
use crate::server::journal::Journal;

/// What the server's kernel can get rid of without the phone reading: small, so that a slow phone
/// is soon felt.
const BUFFER: u32 = 8 * 1024;
/// How often a slow line moves something.
const BEATS_PER_SECOND: u32 = 10;

/// How a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Up,
    Down,
    Frozen,
    /// So many bytes a second.
    Slow(u64),
}

/// A line to one server. Dropping it breaks it for good.
#[derive(Debug)]
pub struct Line {
    port: u16,
    /// The ports from which it reaches the server, latest last.
    outgoing: Journal<u16>,
    state: watch::Sender<State>,
}

impl Listening for Line {
    fn port(&self) -> u16 {
        self.port
    }
}

impl Line {
    /// A line to whatever listens there now or later.
    pub async fn to(server: &impl Listening) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = watch::Sender::new(State::Up);
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

    /// Drops its connections, and takes no new ones.
    pub fn down(&self) {
        self.state.send_replace(State::Down);
    }

    /// The port at which the server sees its latest connection.
    #[must_use]
    pub fn seen_at(&self) -> u16 {
        *self
            .outgoing
            .so_far()
            .last()
            .expect("a connection through this line")
    }

    /// Works again.
    pub fn up(&self) {
        self.state.send_replace(State::Up);
    }

    /// Drops its connections; new ones are taken at once.
    pub fn cut(&self) {
        self.down();
        self.up();
    }

    /// Forwards nothing any more, and tells nobody.
    pub fn freeze(&self) {
        self.state.send_replace(State::Frozen);
    }

    /// Forwards so many bytes a second to the phone.
    pub fn slow_down(&self, bytes_per_second: u64) {
        self.state.send_replace(State::Slow(bytes_per_second));
    }
}

#[derive(Debug, Clone)]
struct Exchange {
    server: u16,
    outgoing: Journal<u16>,
    state: watch::Receiver<State>,
}

impl Exchange {
    async fn accept(mut self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = ended(&mut self.state) => return,
            };
            let up = *self.state.borrow() != State::Down;
            if let (Ok((phone, _)), true) = (accepted, up) {
                tokio::spawn(self.clone().forward(phone));
            }
        }
    }

    /// One connection, until either side ends it or the line goes down.
    async fn forward(self, phone: TcpStream) {
        let Some(server) = self.dial().await else {
            return;
        };
        let _ = phone.set_nodelay(true);
        let ((from_phone, to_phone), (from_server, to_server)) =
            (phone.into_split(), server.into_split());
        let mut life = self.state.clone();
        tokio::select! {
            () = pump(from_phone, to_server, self.state.clone(), false) => (),
            () = pump(from_server, to_phone, self.state, true) => (),
            _ = life.wait_for(|state| *state == State::Down) => (),
        }
    }

    async fn dial(&self) -> Option<TcpStream> {
        let socket = TcpSocket::new_v4().ok()?;
        socket.set_recv_buffer_size(BUFFER).ok()?;
        let stream = socket
            .connect(([127, 0, 0, 1], self.server).into())
            .await
            .ok()?;
        stream.set_nodelay(true).ok()?;
        self.outgoing.push(stream.local_addr().ok()?.port());
        Some(stream)
    }
}

/// Returns when the line is dropped.
async fn ended(state: &mut watch::Receiver<State>) {
    while state.changed().await.is_ok() {}
}

/// Moves bytes one way. What has been read when the line freezes waits in it.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: watch::Receiver<State>,
    to_phone: bool,
) {
    let mut pace = Pace {
        state,
        beat: interval(Duration::from_secs(1) / BEATS_PER_SECOND),
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
    state: watch::Receiver<State>,
    beat: Interval,
    to_phone: bool,
}

impl Pace {
    /// Waits until something may be moved, and says how much.
    async fn allowance(&mut self) -> usize {
        loop {
            let state = *self.state.borrow_and_update();
            match state {
                State::Slow(bytes) if self.to_phone => {
                    self.beat.tick().await;
                    return usize::try_from(bytes / u64::from(BEATS_PER_SECOND))
                        .expect("a rate")
                        .max(1);
                }
                State::Frozen => {
                    if self.state.changed().await.is_err() {
                        return 0;
                    }
                }
                State::Up | State::Down | State::Slow(_) => return usize::MAX,
            }
        }
    }
}
