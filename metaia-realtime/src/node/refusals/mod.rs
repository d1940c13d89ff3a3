//! The last refusals of this node, which answer why a client does not connect.
//!
//! [`ring`] keeps the last 1,000 ([`MAX_REFUSALS`](ring::MAX_REFUSALS)). A refusal that equals one
//! less than a second old is counted there, so that a client that tries again and again, or a storm
//! of equal clients, takes one place. When the ring is full, a new refusal replaces the oldest one.
//! Every text has at most 256 bytes ([`client`]), so the ring has at most 1 MiB. Taking a refusal
//! holds one lock, for a search among at most 1,000 numbers.
//!
//! Refused requests to the embedder's own interface have a ring of their own, of 250
//! ([`MAX_REQUEST_REFUSALS`](ring::MAX_REQUEST_REFUSALS)): however many of them there are, they
//! take no place of a refused connection.
//!
//! Each of the counters of refusals adds its refusal here in the same call ([`recording`]): what is
//! counted is listed. The list also has what no counter counts: clients that do not speak the
//! protocol ([`ProtocolRefusal`]).

mod client;
mod codes;
mod recording;
mod ring;
#[cfg(test)]
mod tests;

use std::{cmp::Reverse, fmt};

use parking_lot::Mutex;

pub(crate) use client::ClientDescription;
pub(crate) use codes::{AdmissionRefusal, ProtocolRefusal};
use ring::{MAX_REQUEST_REFUSALS, Prepared, RefusalRing};

use crate::presence::RefusalView;

/// The last refusals of this node.
pub(crate) struct RecentRefusals {
    connections: Mutex<RefusalRing>,
    requests: Mutex<RefusalRing>,
}

impl Default for RecentRefusals {
    fn default() -> Self {
        Self {
            connections: Mutex::default(),
            requests: Mutex::new(RefusalRing::of_size(MAX_REQUEST_REFUSALS)),
        }
    }
}

impl RecentRefusals {
    fn add(&self, refusal: RefusalView) {
        add_to(&self.connections, refusal);
    }

    fn add_request(&self, refusal: RefusalView) {
        add_to(&self.requests, refusal);
    }

    /// Returns the refusals that occurred at `since` (ms since the Unix epoch) or later, newest
    /// first.
    pub(crate) fn since(&self, since: i64) -> Vec<RefusalView> {
        let mut refusals = self.connections.lock().since(since);
        refusals.extend(self.requests.lock().since(since));
        // Stable: of one time, those of connections come first.
        refusals.sort_by_key(|refusal| Reverse(refusal.last_at));
        refusals
    }
}

fn add_to(ring: &Mutex<RefusalRing>, refusal: RefusalView) {
    let prepared = Prepared::new(refusal);
    let dropped = ring.lock().add(prepared);
    // Freed after the lock.
    drop(dropped);
}

impl fmt::Debug for RecentRefusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecentRefusals").finish_non_exhaustive()
    }
}
