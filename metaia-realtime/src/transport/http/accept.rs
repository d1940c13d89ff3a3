//! The entrance: accepts a limited number of connections, and wraps and tunes each.
//!
//! Connections that have not been accepted yet wait in the kernel's queue, which is as long as the
//! kernel allows. If it is full, the kernel drops new connections, and the clients try again.
//!
//! Idle connections make room: while nine of ten connections are used, each new one closes the one
//! that has been idle for longest.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::{listeners::Listeners, rejections::Rejections, surplus::Surplus};
use crate::{
    Limits,
    node::Counters,
    transport::guard::{Connection, GuardedIo, IdleConnections},
};

/// The pause after accepting failed for want of a system resource, such as file descriptors, which
/// may be free again a little later.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// The most unsent bytes that the kernel takes for a connection (`TCP_NOTSENT_LOWAT`). Without it
/// megabytes would wait between an event and its client.
#[cfg(target_os = "linux")]
const MAX_UNSENT_BYTES: u32 = 16 * 1024;

/// The time within which a connection that was closed to make room has gone. Nothing is written to
/// it, so that it ends as soon as its task runs.
const ROOM_TIMEOUT: Duration = Duration::from_millis(100);

/// The length that is asked for the queue of connections which wait to be accepted. The kernel
/// shortens it (`net.core.somaxconn`, 4,096 by default). In a queue of 128, as `TcpListener::bind`
/// asks for, a thousand clients at once find no place: the kernel drops their connections, and they
/// try again after a second.
const BACKLOG: i32 = 65_535;

/// The listeners of a server, with their common limits.
#[derive(Debug)]
pub(crate) struct Entrance {
    listeners: Listeners,
    permits: Arc<Semaphore>,
    /// If no more than this many connections are left, idle ones are closed.
    few: usize,
    idle: Arc<IdleConnections>,
    write_stall: Duration,
    rejections: Rejections,
}

impl Entrance {
    pub(crate) fn new(
        listeners: Vec<TcpListener>,
        limits: &Limits,
        counters: Arc<Counters>,
    ) -> Self {
        let permits = limits.connections.min(Semaphore::MAX_PERMITS);
        listeners.iter().for_each(lengthen_queue);
        Self {
            listeners: Listeners::new(listeners),
            permits: Arc::new(Semaphore::new(permits)),
            few: permits / 10,
            idle: Arc::default(),
            write_stall: limits.write_stall,
            rejections: Rejections::new(counters),
        }
    }

    /// Returns the address of the first listener.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listeners.local_addr()
    }

    /// Returns the idle connections, of those whose requests are watched.
    pub(crate) const fn idle(&self) -> &Arc<IdleConnections> {
        &self.idle
    }

    /// Accepts the next connection within the limit. Rejects those beyond it.
    ///
    /// If it is dropped while an idle connection makes room, the new connection is closed.
    pub(crate) async fn accept(&self) -> GuardedIo<TcpStream> {
        loop {
            match self.accept_any().await {
                Ok(io) => return io,
                Err(surplus) => self.rejections.reject(surplus),
            }
        }
    }

    /// Accepts the next connection. Returns an error with it if it is beyond the limit.
    ///
    /// If it is dropped while an idle connection makes room, the new connection is closed.
    pub(super) async fn accept_any(&self) -> Result<GuardedIo<TcpStream>, Surplus> {
        loop {
            match self.listeners.accept().await {
                Ok((stream, peer)) => {
                    self.make_room().await;
                    return self.admit(Surplus { stream, peer });
                }
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    /// Closes the connection that has been idle for longest, if few connections are left.
    async fn make_room(&self) {
        let left = self.permits.available_permits();
        if left > self.few || !self.idle.close_oldest() || left > 0 {
            return;
        }
        // The permit is given back at once, and taken again for the new connection. If the time is
        // over, the new connection is rejected.
        let _ = tokio::time::timeout(ROOM_TIMEOUT, self.permits.acquire()).await;
    }

    /// Guards a connection, if there is a place for it.
    fn admit(&self, arrived: Surplus) -> Result<GuardedIo<TcpStream>, Surplus> {
        match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => Ok(guard(arrived, self.write_stall, permit)),
            Err(_) => Err(arrived),
        }
    }

    /// Returns the rejections of connections beyond the limit.
    pub(super) const fn rejections(&self) -> &Rejections {
        &self.rejections
    }

    /// Returns the time after which a connection that takes nothing is closed.
    pub(super) const fn write_stall(&self) -> Duration {
        self.write_stall
    }
}

/// Lets as many connections wait as the kernel allows, whatever length the listener was bound with.
fn lengthen_queue(listener: &TcpListener) {
    if let Err(error) = socket2::SockRef::from(listener).listen(BACKLOG) {
        tracing::debug!(%error, "the queue of a listener could not be lengthened");
    }
}

/// Wraps and tunes a connection that has this permit.
pub(super) fn guard(
    arrived: Surplus,
    write_stall: Duration,
    permit: OwnedSemaphorePermit,
) -> GuardedIo<TcpStream> {
    tune(&arrived.stream);
    let connection = Connection::new(arrived.peer);
    GuardedIo::new(arrived.stream, connection, write_stall, permit)
}

fn tune(stream: &TcpStream) {
    if let Err(error) = try_tune(stream) {
        tracing::debug!(%error, "a connection could not be tuned");
    }
}

fn try_tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(MAX_UNSENT_BYTES)?;
    Ok(())
}

/// Returns whether accepting failed for this one connection alone, which is gone already.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::SocketAddr;

    use futures_util::future::join_all;
    use tokio::net::TcpSocket;

    use super::*;

    /// More than one, and fewer than any system's `somaxconn`.
    const WAITING: usize = 32;

    #[tokio::test]
    async fn connections_wait_in_a_long_queue_however_the_listener_was_bound() {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let entrance = Entrance::new(vec![listener], &Limits::default(), Arc::default());
        let connecting = join_all((0..WAITING).map(|_| TcpStream::connect(address)));
        let connected = tokio::time::timeout(Duration::from_secs(10), connecting).await;
        let connected = connected.expect("all of them have a place in the queue");
        assert!(connected.iter().all(Result::is_ok), "{connected:?}");
        drop(entrance);
    }
}
