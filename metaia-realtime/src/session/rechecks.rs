//! Order rooms whose access is to be decided again. A pure kernel.
//!
//! Requests are numbered here, and not by the entries that ask for them: after a change of epoch
//! the log numbers its entries from the start, and numbers of two epochs cannot be compared.
//!
//! All orders are decided side by side, each from its own request on. A pending request withholds:
//!
//! - Entries of every room that do not precede it. One cursor serves all rooms.
//! - Every entry of its room: the client may have lost the room by now. If the session receives
//!   such an entry by no other room, also everything behind it.
//!
//! Requests for one order may come faster than it is decided. So that each decision releases
//! something, an order that is allowed withholds less of its room by the request that came
//! meanwhile: not the entries that precede the request that was decided; and if the later request
//! is a round of decisions on all access, not those that precede the round.
//!
//! So an entry is withheld by the requests that came before it, and by one or two of its own room
//! that came after it, but not by those that other orders ask for later.

use tokio::time::Instant;

use super::recheck_request::{PendingRecheck, RecheckCause, RecheckRequest, RecheckToDecide};
use crate::OrderId;

/// The pending requests of a session, oldest first.
#[derive(Debug, Default)]
pub(super) struct Rechecks {
    /// At most two for each order: one that may be being decided, and one for all later requests.
    pending: Vec<PendingRecheck>,
    /// The last request.
    last: RecheckRequest,
    /// The next entry, if it is one of a room whose access is pending.
    withheld_entry: Option<u64>,
    /// The orders of which a decision is awaited, whatever request it serves.
    awaited: Vec<OrderId>,
}

impl Rechecks {
    /// Requests a decision on the order's access that begins after this call, which is made at
    /// `now`. Entries of other rooms up to `preceded_by` do not need it.
    pub(super) fn request(
        &mut self,
        order: &OrderId,
        cause: RecheckCause,
        preceded_by: u64,
        now: Instant,
    ) {
        self.last = self.last.next();
        self.withheld_entry = None;
        let mut of_order = self.pending.iter_mut().filter(|it| it.order == *order);
        if let Some(later) = of_order.nth(1) {
            later.repeat(self.last, cause, preceded_by);
            return;
        }
        let request = self.last;
        let pending = PendingRecheck::new(order, request, cause, preceded_by, now);
        self.pending.push(pending);
    }

    /// Returns the decisions that are to begin now, one for each order of which none is under way.
    pub(super) fn begin(&mut self) -> Vec<RecheckToDecide> {
        let mut begun: Vec<RecheckToDecide> = Vec::new();
        let busy: Vec<OrderId> = self
            .pending
            .iter()
            .filter(|it| it.is_being_decided)
            .map(|it| it.order.clone())
            .collect();
        for pending in &mut self.pending {
            if busy.contains(&pending.order) {
                continue;
            }
            pending.is_being_decided = true;
            match begun.iter_mut().find(|it| it.order == pending.order) {
                Some(first) => first.request = pending.request,
                None => begun.push(pending.to_decide()),
            }
        }
        begun
    }

    /// Removes the request, since the order was allowed after it. A later request stays, and is
    /// decided next. Does nothing if the request is not pending any more.
    pub(super) fn finish(&mut self, order: &OrderId, request: RecheckRequest) {
        self.withheld_entry = None;
        self.awaited.retain(|it| it != order);
        let is_decided = |it: &PendingRecheck| it.order == *order && it.request <= request;
        let decided = self.pending.extract_if(.., |it| is_decided(it));
        let Some(allowed_upto) = decided.map(|it| it.preceded_by).max() else {
            return;
        };
        for later in self.pending.iter_mut().filter(|it| it.order == *order) {
            later.earlier_was_allowed(allowed_upto);
        }
    }

    /// Removes all requests for the order, since the session has left its room.
    pub(super) fn forget(&mut self, order: &OrderId) {
        self.withheld_entry = None;
        self.awaited.retain(|it| it != order);
        self.pending.retain(|it| it.order != *order);
    }

    /// Awaits the next decision on each of the orders. Further requests do not prolong that.
    pub(super) fn await_decisions(&mut self, orders: Vec<OrderId>) {
        self.awaited = orders;
    }

    /// Returns whether a decision is awaited.
    pub(super) fn awaits_decisions(&self) -> bool {
        !self.awaited.is_empty()
    }

    /// Returns whether the request, or an earlier one for the order, is pending.
    pub(super) fn is_open(&self, order: &OrderId, request: RecheckRequest) -> bool {
        let mut pending = self.pending.iter();
        pending.any(|it| it.order == *order && it.request <= request)
    }

    /// Returns whether entry `n` of the order's room is withheld, as an entry of this room.
    pub(super) fn withholds(&self, order: &OrderId, n: u64) -> bool {
        let mut pending = self.pending.iter();
        pending.any(|it| it.order == *order && it.withholds(n))
    }

    /// Records that entry `n` comes next and is withheld, as its room is. Nothing that follows it
    /// may be handed over until a request is decided.
    pub(super) fn withhold_from(&mut self, n: u64) {
        self.withheld_entry = Some(n);
    }

    /// Returns the last entry that may be handed over now, unless its room is withheld. Without a
    /// pending request, all may.
    pub(super) fn released_upto(&self) -> u64 {
        let preceding = self.pending.iter().map(|it| it.preceded_by).min();
        let before_withheld = self.withheld_entry.map(|n| n.saturating_sub(1));
        let limits = preceding.into_iter().chain(before_withheld);
        limits.min().unwrap_or(u64::MAX)
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
impl Rechecks {
    /// Returns each order with a pending request, and its last request.
    pub(super) fn requested(&self) -> Vec<(OrderId, RecheckRequest)> {
        let mut requested: Vec<(OrderId, RecheckRequest)> = Vec::new();
        for pending in &self.pending {
            match requested.iter_mut().find(|it| it.0 == pending.order) {
                Some((_, last)) => *last = pending.request,
                None => requested.push((pending.order.clone(), pending.request)),
            }
        }
        requested
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(name: &str) -> OrderId {
        name.parse().unwrap()
    }

    fn recheck(rechecks: &mut Rechecks, name: &str, preceded_by: u64) {
        let cause = RecheckCause::Order;
        rechecks.request(&order(name), cause, preceded_by, Instant::now());
    }

    /// Requests a round for the orders `a` and `b`.
    fn request_round(rechecks: &mut Rechecks, preceded_by: u64) {
        for name in ["a", "b"] {
            let cause = RecheckCause::Round;
            rechecks.request(&order(name), cause, preceded_by, Instant::now());
        }
    }

    fn allow(rechecks: &mut Rechecks, decisions: Vec<RecheckToDecide>) {
        for it in decisions {
            rechecks.finish(&it.order, it.request);
        }
    }

    fn orders(decisions: &[RecheckToDecide]) -> Vec<&str> {
        decisions.iter().map(|it| it.order.as_str()).collect()
    }

    #[test]
    fn a_pending_request_withholds_what_follows_it_and_its_room() {
        let mut rechecks = Rechecks::default();
        assert_eq!(rechecks.released_upto(), u64::MAX);
        recheck(&mut rechecks, "a", 7);
        assert_eq!(rechecks.released_upto(), 7);
        assert!(rechecks.withholds(&order("a"), 1));
        assert!(!rechecks.withholds(&order("b"), 1));
        let begun = rechecks.begin();
        allow(&mut rechecks, begun);
        assert_eq!(rechecks.released_upto(), u64::MAX);
        assert!(!rechecks.withholds(&order("a"), 1));
    }

    #[test]
    fn orders_are_decided_side_by_side_and_each_once_at_a_time() {
        let mut rechecks = Rechecks::default();
        recheck(&mut rechecks, "a", 7);
        let first = rechecks.begin();
        assert_eq!(orders(&first), ["a"]);
        recheck(&mut rechecks, "b", 10);
        recheck(&mut rechecks, "a", 12);
        let second = rechecks.begin();
        assert_eq!(orders(&second), ["b"]);
        assert!(rechecks.begin().is_empty());
        allow(&mut rechecks, first);
        assert_eq!(rechecks.released_upto(), 10, "what precedes the next one");
        assert_eq!(orders(&rechecks.begin()), ["a"], "the later request");
        allow(&mut rechecks, second);
        assert_eq!(rechecks.released_upto(), 12);
        assert!(rechecks.withholds(&order("a"), 8));
    }

    /// Rechecks of one order may come faster than they are decided.
    #[test]
    fn a_decision_is_awaited_once_whatever_is_requested_meanwhile() {
        let mut rechecks = Rechecks::default();
        recheck(&mut rechecks, "a", 7);
        recheck(&mut rechecks, "b", 7);
        rechecks.await_decisions(vec![order("a"), order("b")]);
        let begun = rechecks.begin();
        recheck(&mut rechecks, "a", 8);
        rechecks.forget(&order("b"));
        assert!(rechecks.awaits_decisions());
        allow(&mut rechecks, begun);
        assert!(!rechecks.awaits_decisions());
        assert!(rechecks.is_pending(&order("a")));
    }

    #[test]
    fn nothing_follows_an_entry_that_is_withheld() {
        let mut rechecks = Rechecks::default();
        recheck(&mut rechecks, "a", 7);
        rechecks.withhold_from(5);
        assert_eq!(rechecks.released_upto(), 4);
        rechecks.forget(&order("a"));
        assert_eq!(rechecks.released_upto(), u64::MAX);
    }

    #[test]
    fn entries_before_a_round_are_released_when_the_orders_are_allowed() {
        let mut rechecks = Rechecks::default();
        request_round(&mut rechecks, 7);
        for next_round in 10..20 {
            let begun = rechecks.begin();
            assert_eq!(orders(&begun), ["a", "b"]);
            request_round(&mut rechecks, next_round);
            assert!(rechecks.released_upto() < next_round);
            allow(&mut rechecks, begun);
            assert_eq!(rechecks.released_upto(), next_round);
            assert!(!rechecks.withholds(&order("a"), 1));
        }
    }

    #[test]
    fn a_recheck_beside_a_round_withholds_the_room() {
        let mut rechecks = Rechecks::default();
        request_round(&mut rechecks, 7);
        let begun = rechecks.begin();
        request_round(&mut rechecks, 10);
        recheck(&mut rechecks, "a", 12);
        allow(&mut rechecks, begun);
        assert!(rechecks.withholds(&order("a"), 8));
        assert!(!rechecks.withholds(&order("b"), 8));
        assert_eq!(rechecks.released_upto(), 10);
    }

    #[test]
    fn a_session_that_has_left_a_room_waits_for_no_decision_on_it() {
        let mut rechecks = Rechecks::default();
        recheck(&mut rechecks, "a", 0);
        let first = rechecks.begin()[0].request;
        recheck(&mut rechecks, "a", 0);
        assert!(rechecks.is_open(&order("a"), first));
        rechecks.forget(&order("a"));
        assert!(rechecks.is_empty());
        recheck(&mut rechecks, "a", 0);
        assert!(
            !rechecks.is_open(&order("a"), first),
            "the session is in the room again, by a later decision"
        );
    }

    /// The decision on the first request was made after entry 7 and before entry 12.
    #[test]
    fn an_order_that_is_allowed_is_withheld_only_after_the_request_that_was_decided() {
        let mut rechecks = Rechecks::default();
        recheck(&mut rechecks, "a", 7);
        let first = rechecks.begin();
        recheck(&mut rechecks, "a", 12);
        recheck(&mut rechecks, "a", 15);
        assert!(rechecks.withholds(&order("a"), 7));
        allow(&mut rechecks, first);
        assert!(!rechecks.withholds(&order("a"), 7));
        assert!(rechecks.withholds(&order("a"), 8));
        assert_eq!(rechecks.released_upto(), 12);
        let second = rechecks.begin();
        recheck(&mut rechecks, "a", 20);
        allow(&mut rechecks, second);
        assert!(!rechecks.withholds(&order("a"), 12));
        assert!(
            rechecks.withholds(&order("a"), 13),
            "it may follow entry 12"
        );
    }

    /// The new log numbers its entries from 1.
    #[test]
    fn a_decision_on_the_old_log_allows_nothing_of_a_new_one() {
        let mut rechecks = Rechecks::default();
        recheck(&mut rechecks, "a", 1_000);
        let first = rechecks.begin();
        recheck(&mut rechecks, "a", 2_000);
        recheck(&mut rechecks, "a", 0);
        allow(&mut rechecks, first);
        assert!(rechecks.withholds(&order("a"), 1));
        assert_eq!(rechecks.released_upto(), 0);
    }

    /// One decision begins for the first two.
    #[test]
    fn the_last_of_three_quick_requests_is_decided() {
        let mut rechecks = Rechecks::default();
        recheck(&mut rechecks, "a", 7);
        recheck(&mut rechecks, "a", 8);
        let begun = rechecks.begin();
        recheck(&mut rechecks, "a", 9);
        assert!(rechecks.begin().is_empty());
        allow(&mut rechecks, begun);
        let begun = rechecks.begin();
        assert_eq!(orders(&begun), ["a"]);
        allow(&mut rechecks, begun);
        assert!(rechecks.is_empty());
        assert_eq!(rechecks.released_upto(), u64::MAX);
    }

    /// The session has left the room and is in it again.
    #[test]
    fn a_decision_on_a_request_that_is_not_pending_any_more_releases_nothing() {
        let mut rechecks = Rechecks::default();
        recheck(&mut rechecks, "a", 7);
        let begun = rechecks.begin();
        rechecks.forget(&order("a"));
        request_round(&mut rechecks, 9);
        allow(&mut rechecks, begun);
        assert!(rechecks.withholds(&order("a"), 1));
    }

    #[test]
    fn there_are_at_most_two_requests_for_each_order() {
        let mut rechecks = Rechecks::default();
        for n in 0..100 {
            request_round(&mut rechecks, n);
        }
        assert_eq!(rechecks.pending.len(), 4);
        let begun = rechecks.begin();
        allow(&mut rechecks, begun);
        assert!(rechecks.is_empty());
    }
}
