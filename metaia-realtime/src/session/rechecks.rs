//! Order rooms whose access is to be decided again. A pure kernel.
//!
//! Requests are numbered here, and not by the entries that ask for them: after a change of epoch
//! the log numbers its entries from the start, and numbers of two epochs cannot be compared.

use crate::OrderId;

/// A request to decide access to an order again. A later one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RecheckRequest(u64);

/// The pending requests of a session, oldest first: at most one for each of its rooms.
#[derive(Debug, Default)]
pub(super) struct Rechecks {
    pending: Vec<(OrderId, RecheckRequest)>,
    /// The number of the last request.
    last: u64,
}

impl Rechecks {
    /// Requests a decision on the order's access that begins after this call. An earlier request is
    /// replaced.
    pub(super) fn request(&mut self, order: &OrderId) {
        self.last += 1;
        self.pending.retain(|(pending, _)| pending != order);
        self.pending
            .push((order.clone(), RecheckRequest(self.last)));
    }

    /// Returns the request to decide next. It stays until [`Self::finish`].
    pub(super) fn next(&self) -> Option<(OrderId, RecheckRequest)> {
        self.pending.first().cloned()
    }

    /// Removes the request, since access was decided after it. A later request stays.
    pub(super) fn finish(&mut self, order: &OrderId, request: RecheckRequest) {
        self.pending
            .retain(|(pending, requested)| pending != order || *requested > request);
    }

    /// Returns whether a request for the order is pending.
    pub(super) fn is_pending(&self, order: &OrderId) -> bool {
        self.pending.iter().any(|(pending, _)| pending == order)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}
