//! Order rooms whose access is to be decided again. A pure kernel.
//!
//! Requests are numbered here, and not by the entries that ask for them: a log whose history is
//! another one now numbers its entries anew, and nobody knows which of two epochs' is the later.

use crate::OrderId;

/// A request: the later, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Request(u64);

/// What a session is to have decided, the oldest first: at most one request for each of its rooms.
#[derive(Debug, Default)]
pub(super) struct Rechecks {
    pending: Vec<(OrderId, Request)>,
    asked: u64,
}

impl Rechecks {
    /// The order's access is to be decided, by whoever begins to do so from here on.
    pub(super) fn ask(&mut self, order: &OrderId) {
        self.asked += 1;
        self.pending.retain(|(pending, _)| pending != order);
        self.pending.push((order.clone(), Request(self.asked)));
    }

    /// The one to decide next; it stays until [`Self::decided`].
    pub(super) fn next(&self) -> Option<(OrderId, Request)> {
        self.pending.first().cloned()
    }

    /// Access was decided after it had been asked for so. A later request stays.
    pub(super) fn decided(&mut self, order: &OrderId, request: Request) {
        self.pending
            .retain(|(pending, asked)| pending != order || *asked > request);
    }

    pub(super) fn concern(&self, order: &OrderId) -> bool {
        self.pending.iter().any(|(pending, _)| pending == order)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}
