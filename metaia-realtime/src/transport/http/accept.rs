//! Where connections come in: so many at a time, each wrapped and tuned.
//!
//! One more than there is place for is answered 503 and closed, beside those that wait: accepting
//! never stands still for a peer. Of such farewells, too, there are only so many; beyond them a
//! connection is closed without a word.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::task::TaskTracker;

use crate::{
    Limits,
    node::Counters,
    transport::{
        guard::{Connection, GuardedIo},
        socketio::too_many_connections,
    },
};

/// Accepting failed for want of something of the system's; it may be there again a little later.
const PAUSE: Duration = Duration::from_millis(200);

/// More than this is not put into the kernel's hands before the rest is sent, in bytes: else
/// megabytes stand between an event and its client.
#[cfg(target_os = "linux")]
const NOT_SENT: u32 = 16 * 1024;

/// How many are turned away at a time, how long that may take, and how much of their requests is
/// read.
const FAREWELLS: usize = 64;
const FAREWELL: Duration = Duration::from_secs(1);
const FAREWELL_BYTES: u64 = 64 * 1024;

/// A listener with its limits.
#[derive(Debug)]
pub(crate) struct Entrance {
    listener: TcpListener,
    places: Arc<Semaphore>,
    write_stall: Duration,
    counters: Arc<Counters>,
    farewells: TaskTracker,
}

impl Entrance {
    pub(crate) fn new(listener: TcpListener, limits: &Limits, counters: Arc<Counters>) -> Self {
        let places = limits.connections.min(Semaphore::MAX_PERMITS);
        Self {
            listener,
            places: Arc::new(Semaphore::new(places)),
            write_stall: limits.write_stall,
            counters,
            farewells: TaskTracker::new(),
        }
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The next connection that there is place for. Cancel safe.
    pub(crate) async fn accept(&self) -> GuardedIo<TcpStream> {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => match Arc::clone(&self.places).try_acquire_owned() {
                    Ok(place) => {
                        tune(&stream);
                        return GuardedIo::new(
                            stream,
                            Connection::new(peer),
                            self.write_stall,
                            place,
                        );
                    }
                    Err(_) => self.turn_away(stream),
                },
                Err(error) if is_of_one(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn turn_away(&self, stream: TcpStream) {
        self.counters.handshakes_refused.add("too_many_connections");
        if self.farewells.len() < FAREWELLS {
            self.farewells
                .spawn(async move { tokio::time::timeout(FAREWELL, farewell(stream)).await.ok() });
        }
    }
}

fn tune(stream: &TcpStream) {
    if let Err(error) = try_tune(stream) {
        tracing::debug!(%error, "a connection could not be tuned");
    }
}

fn try_tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(NOT_SENT)?;
    Ok(())
}

/// Whether accepting failed for this one connection, which has gone again.
fn is_of_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// Answers, and reads what was asked until the client has closed: the kernel would take the answer
/// back where the connection is closed over bytes that nobody read.
async fn farewell(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(too_many_connections().as_bytes()).await?;
    stream.shutdown().await?;
    tokio::io::copy(&mut stream.take(FAREWELL_BYTES), &mut tokio::io::sink()).await?;
    Ok(())
}
