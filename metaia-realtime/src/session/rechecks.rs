//! Order rooms whose access is to be decided again. A pure kernel.
//!
//! Requests are numbered here, and not by the entries that ask for them: after a change of epoch
//! the log numbers its entries from the start, and numbers of two epochs cannot be compared.
//!
//! A session hands over nothing while a request is pending, with one exception. Rounds of decisions
//! on all access may come faster than a session decides its rooms. So when it has decided all that
//! was requested before a step, it may hand over the entries that precede the rounds that have
//! begun meanwhile: see [`Rechecks::release`].

use crate::OrderId;

/// A request to decide access to an order again. A later one is greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RecheckRequest(u64);

/// The pending requests of a session, oldest first.
#[derive(Debug, Default)]
pub(super) struct Rechecks {
    /// At most two for each order: one that may be being decided, and one for all later requests.
    pending: Vec<Pending>,
    /// The last request.
    last: RecheckRequest,
    /// The last entry that may be handed over although requests are pending.
    released_upto: u64,
}

#[derive(Debug)]
struct Pending {
    order: OrderId,
    request: RecheckRequest,
    /// The last entry that does not need this decision.
    preceded_by: u64,
}

impl Rechecks {
    /// Requests a decision on the order's access that begins after this call. Entries up to
    /// `preceded_by` do not need this decision, but an earlier one if that is pending.
    pub(super) fn request(&mut self, order: &OrderId, preceded_by: u64) {
        self.last.0 += 1;
        self.released_upto = 0;
        let mut of_order = self.pending.iter_mut().filter(|it| it.order == *order);
        if let Some(later) = of_order.nth(1) {
            later.request = self.last;
            later.preceded_by = later.preceded_by.min(preceded_by);
            return;
        }
        self.pending.push(Pending {
            order: order.clone(),
            request: self.last,
            preceded_by,
        });
    }

    /// Returns each order with a pending request, and its last request, which a decision that
    /// begins now serves. It stays until [`Self::finish`].
    pub(super) fn requested(&self) -> Vec<(OrderId, RecheckRequest)> {
        let mut requested: Vec<(OrderId, RecheckRequest)> = Vec::new();
        for pending in &self.pending {
            let of_order = |(order, _): &&mut (OrderId, _)| *order == pending.order;
            match requested.iter_mut().find(of_order) {
                Some((_, last)) => *last = pending.request,
                None => requested.push((pending.order.clone(), pending.request)),
            }
        }
        requested
    }

    /// Removes the request, since access was decided after it. A later request stays.
    pub(super) fn finish(&mut self, order: &OrderId, request: RecheckRequest) {
        self.pending
            .retain(|it| it.order != *order || it.request > request);
    }

    /// Removes all requests for the order, since the session has left its room.
    pub(super) fn forget(&mut self, order: &OrderId) {
        self.pending.retain(|it| it.order != *order);
    }

    /// Returns whether the request, or an earlier one for the order, is pending.
    pub(super) fn is_open(&self, order: &OrderId, request: RecheckRequest) -> bool {
        let mut pending = self.pending.iter();
        pending.any(|it| it.order == *order && it.request <= request)
    }

    /// Allows the entries that no pending request concerns. Call it when everything that was
    /// requested before a step is decided. A later request ends it.
    pub(super) fn release(&mut self) {
        let unconcerned = self.pending.iter().map(|it| it.preceded_by).min();
        self.released_upto = unconcerned.unwrap_or(0);
    }

    /// Returns the last entry that may be handed over now. Without a pending request, all may.
    pub(super) const fn released_upto(&self) -> u64 {
        if self.pending.is_empty() {
            u64::MAX
        } else {
            self.released_upto
        }
    }

    /// Returns whether a request for the order is pending.
    pub(super) fn is_pending(&self, order: &OrderId) -> bool {
        self.pending.iter().any(|it| it.order == *order)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(name: &str) -> OrderId {
        name.parse().unwrap()
    }

    /// Decides what was requested before, as a step does. `during` is called in each decision.
    fn decide(rechecks: &mut Rechecks, mut during: impl FnMut(&mut Rechecks)) -> Vec<OrderId> {
        let mut decided = Vec::new();
        for (order, request) in rechecks.requested() {
            during(rechecks);
            rechecks.finish(&order, request);
            decided.push(order);
        }
        rechecks.release();
        decided
    }

    fn request_round(rechecks: &mut Rechecks, preceded_by: u64) {
        rechecks.request(&order("a"), preceded_by);
        rechecks.request(&order("b"), preceded_by);
    }

    #[test]
    fn a_pending_request_withholds_all_entries() {
        let mut rechecks = Rechecks::default();
        assert_eq!(rechecks.released_upto(), u64::MAX);
        request_round(&mut rechecks, 7);
        assert_eq!(rechecks.released_upto(), 0);
        decide(&mut rechecks, |_| {});
        assert_eq!(rechecks.released_upto(), u64::MAX);
    }

    #[test]
    fn entries_before_a_round_are_released_when_what_was_requested_before_is_decided() {
        let mut rechecks = Rechecks::default();
        request_round(&mut rechecks, 7);
        let mut next_round = 10;
        let mut begin_round = |rechecks: &mut Rechecks| {
            request_round(rechecks, next_round);
            next_round += 1;
        };
        let first = decide(&mut rechecks, &mut begin_round);
        assert_eq!(first, [order("a"), order("b")], "each order once");
        let mut released = vec![rechecks.released_upto()];
        for _ in 0..10 {
            decide(&mut rechecks, &mut begin_round);
            released.push(rechecks.released_upto());
        }
        assert_eq!(released[0], 10);
        let rises = |steps: &[u64]| steps[0] <= steps[1] && steps[0] < steps[2];
        assert!(released.windows(3).all(rises), "{released:?}");
    }

    #[test]
    fn a_later_request_ends_the_release() {
        let mut rechecks = Rechecks::default();
        request_round(&mut rechecks, 7);
        decide(&mut rechecks, |rechecks| request_round(rechecks, 10));
        rechecks.request(&order("c"), 20);
        assert_eq!(rechecks.released_upto(), 0);
    }

    #[test]
    fn a_recheck_of_one_order_releases_nothing_until_it_is_decided() {
        let mut rechecks = Rechecks::default();
        request_round(&mut rechecks, 7);
        decide(&mut rechecks, |rechecks| {
            request_round(rechecks, 10);
            rechecks.request(&order("a"), 0);
        });
        assert_eq!(rechecks.released_upto(), 0);
    }

    #[test]
    fn a_session_that_has_left_a_room_waits_for_no_decision_on_it() {
        let mut rechecks = Rechecks::default();
        rechecks.request(&order("a"), 0);
        let (_, first) = rechecks.requested()[0].clone();
        rechecks.request(&order("a"), 0);
        assert!(rechecks.is_open(&order("a"), first));
        rechecks.forget(&order("a"));
        assert!(rechecks.is_empty());
        rechecks.request(&order("a"), 0);
        assert!(
            !rechecks.is_open(&order("a"), first),
            "the session is in the room again, by a later decision"
        );
    }

    #[test]
    fn there_are_at_most_two_requests_for_each_order() {
        let mut rechecks = Rechecks::default();
        for n in 0..100 {
            request_round(&mut rechecks, n);
        }
        assert_eq!(rechecks.pending.len(), 4);
        decide(&mut rechecks, |_| {});
        assert!(rechecks.is_empty());
    }
}
