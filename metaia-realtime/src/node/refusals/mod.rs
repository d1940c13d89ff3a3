//! The last refusals of this node, which answer why a client does not connect.
//!
//! [`ring`] keeps the last 1,000 ([`MAX_REFUSALS`](ring::MAX_REFUSALS)). A refusal that equals one
//! less than a second old is counted there, so that a client that tries again and again, or a storm
//! of equal clients, takes one place. When the ring is full, a new refusal replaces the oldest one.
//! Every text has at most 256 bytes ([`client`]), so the ring has at most 1 MiB. Taking a refusal
//! holds one lock, for a search among at most 1,000 numbers.
//!
//! Of the 1,000, at most 250 ([`MAX_REQUEST_REFUSALS`](ring::MAX_REQUEST_REFUSALS)) are of refused
//! requests to the embedder's own interface. However many of them there are, the last 750 refused
//! connections stay; and however many connections are refused, the last 250 refused requests do.
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
use ring::{MAX_REFUSALS, MAX_REQUEST_REFUSALS, Prepared, RefusalRing};

use crate::presence::RefusalView;

/// The last refusals of this node.
#[derive(Default)]
pub(crate) struct RecentRefusals(Mutex<Rings>);

/// A ring of each kind, which share their places.
#[derive(Default)]
struct Rings {
    connections: RefusalRing,
    requests: RefusalRing,
}

impl Rings {
    fn add(&mut self, added: Prepared) -> Option<Prepared> {
        let most = MAX_REFUSALS - self.requests.len();
        self.connections.add(added, most)
    }

    fn add_request(&mut self, added: Prepared) -> [Option<Prepared>; 2] {
        let dropped = self.requests.add(added, MAX_REQUEST_REFUSALS);
        let is_over = self.connections.len() + self.requests.len() > MAX_REFUSALS;
        let oldest = is_over.then(|| self.connections.remove_oldest());
        [dropped, oldest.flatten()]
    }
}

impl RecentRefusals {
    fn add(&self, refusal: RefusalView) {
        let prepared = Prepared::new(refusal);
        let dropped = self.0.lock().add(prepared);
        // Freed after the lock.
        drop(dropped);
    }

    fn add_request(&self, refusal: RefusalView) {
        let prepared = Prepared::new(refusal);
        let dropped = self.0.lock().add_request(prepared);
        // Freed after the lock.
        drop(dropped);
    }

    /// Returns the refusals that occurred at `since` (ms since the Unix epoch) or later, newest
    /// first.
    pub(crate) fn since(&self, since: i64) -> Vec<RefusalView> {
        let rings = self.0.lock();
        let mut refusals = rings.connections.since(since);
        refusals.extend(rings.requests.since(since));
        drop(rings);
        // Stable: of one time, those of connections come first.
        refusals.sort_by_key(|refusal| Reverse(refusal.last_at));
        refusals
    }
}

impl fmt::Debug for RecentRefusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecentRefusals").finish_non_exhaustive()
    }
}
