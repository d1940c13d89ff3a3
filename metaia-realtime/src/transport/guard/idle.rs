//! The idle connections of a listener, in the order in which they became idle.
//!
//! If the listener has few connections left, it closes those that have been idle for longest. A
//! client expects that: it opens another connection for its next request.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;

/// A connection that can be among the idle ones.
pub(super) trait Idle: Debug + Send + Sync {
    /// Ends the connection if it is idle. Returns whether it was.
    fn end_if_idle(&self) -> bool;
}

/// The idle connections of a listener. It holds as many as the listener has connections.
#[derive(Debug, Default)]
pub(crate) struct IdleConnections(Mutex<ByAge>);

#[derive(Debug, Default)]
struct ByAge {
    next: u64,
    connections: BTreeMap<u64, Weak<dyn Idle>>,
}

impl IdleConnections {
    /// Adds a connection, and returns its place.
    pub(super) fn add(&self, connection: Weak<dyn Idle>) -> u64 {
        let mut by_age = self.0.lock();
        let place = by_age.next;
        by_age.next += 1;
        by_age.connections.insert(place, connection);
        place
    }

    pub(super) fn remove(&self, place: u64) {
        self.0.lock().connections.remove(&place);
    }

    /// Closes the connection that has been idle for longest. Returns whether there was one.
    pub(crate) fn close_oldest(&self) -> bool {
        while let Some(connection) = self.take_oldest() {
            if connection.end_if_idle() {
                return true;
            }
        }
        false
    }

    /// Removes the oldest connection that still exists. A connection locks its own state first and
    /// this list second, so that the lock must not be held while a connection is called.
    fn take_oldest(&self) -> Option<Arc<dyn Idle>> {
        loop {
            let (_, connection) = self.0.lock().connections.pop_first()?;
            if let Some(connection) = connection.upgrade() {
                return Some(connection);
            }
        }
    }
}
