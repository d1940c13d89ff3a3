//! The watch over the requests of one connection, and its place among the idle ones.

use std::sync::{Arc, Weak};

use tokio::time::Instant;

use super::{
    idle::{Idle, IdleConnections},
    requests::{RequestTimeouts, Requests},
};

/// The watch over the requests of one connection. While the connection is idle, it is among the
/// idle ones of its listener.
#[derive(Debug)]
pub(super) struct Watch {
    connection: Weak<dyn Idle>,
    requests: Requests,
    idle: Arc<IdleConnections>,
    place: Option<u64>,
}

impl Watch {
    pub(super) fn new(
        connection: Weak<dyn Idle>,
        timeouts: RequestTimeouts,
        idle: Arc<IdleConnections>,
    ) -> Self {
        Self {
            connection,
            requests: Requests::new(timeouts, Instant::now()),
            idle,
            place: None,
        }
    }

    /// Returns when the connection is to end, unless something comes before.
    pub(super) const fn deadline(&self) -> Option<Instant> {
        self.requests.deadline()
    }

    /// Changes the state of the requests, then takes or leaves the place among the idle ones.
    pub(super) fn change<R>(&mut self, change: impl FnOnce(&mut Requests) -> R) -> R {
        let result = change(&mut self.requests);
        if self.requests.is_idle() {
            let add = || self.idle.add(Weak::clone(&self.connection));
            self.place.get_or_insert_with(add);
        } else {
            self.leave_idle();
        }
        result
    }

    fn leave_idle(&mut self) {
        if let Some(place) = self.place.take() {
            self.idle.remove(place);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.leave_idle();
    }
}
