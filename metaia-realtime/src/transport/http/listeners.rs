//! The listeners of one server: a connection may come from each of them.

use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    task::{Context, Poll},
};

use tokio::net::{TcpListener, TcpStream};

/// One listener, or several that share the limits of one server.
#[derive(Debug)]
pub(super) struct Listeners {
    listeners: Vec<TcpListener>,
    /// The listener that is asked first, so that none keeps the others waiting.
    first: AtomicUsize,
}

impl Listeners {
    pub(super) const fn new(listeners: Vec<TcpListener>) -> Self {
        Self {
            listeners,
            first: AtomicUsize::new(0),
        }
    }

    /// Returns the address of the first listener.
    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        let first = self.listeners.first();
        first.ok_or(io::ErrorKind::NotFound)?.local_addr()
    }

    /// Accepts the next connection of any listener. Without a listener, waits for ever.
    ///
    /// # Cancel safety
    /// Cancel safe: a dropped call loses no connection.
    pub(super) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        poll_fn(|context| self.poll_accept(context)).await
    }

    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let first = self.first.load(Relaxed);
        let (before, from_first) = self.listeners.split_at(first.min(self.listeners.len()));
        for (n, listener) in from_first.iter().chain(before).enumerate() {
            if let Poll::Ready(accepted) = listener.poll_accept(context) {
                let next = (first + n + 1) % self.listeners.len();
                self.first.store(next, Relaxed);
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn local() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    /// A listener at which many connections wait does not keep the other one waiting.
    #[tokio::test]
    async fn connections_are_taken_from_each_listener_in_turn() {
        let (busy, busy_address) = local().await;
        let (quiet, quiet_address) = local().await;
        let mut clients = Vec::new();
        for address in [busy_address, busy_address, busy_address, quiet_address] {
            clients.push(TcpStream::connect(address).await.unwrap());
        }
        let listeners = Listeners::new(vec![busy, quiet]);
        let mut accepted = Vec::new();
        for _ in 0..clients.len() {
            let (stream, _) = listeners.accept().await.unwrap();
            accepted.push(stream.local_addr().unwrap());
        }
        assert_eq!(accepted.iter().filter(|at| **at == busy_address).count(), 3);
        assert!(accepted[..3].contains(&quiet_address), "{accepted:?}");
    }
}
