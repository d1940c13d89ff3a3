//! One request to decide the access to an order again.

use tokio::time::Instant;

use crate::OrderId;

/// A request to decide access to an order again. A later one is greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RecheckRequest(u64);

impl RecheckRequest {
    pub(super) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The reason why access is decided again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecheckCause {
    /// The order was rechecked.
    Order,
    /// A round of decisions on all access.
    Round,
}

/// A decision that is to begin now.
#[derive(Debug)]
pub(super) struct RecheckToDecide {
    pub(super) order: OrderId,
    /// The last request for the order: the decision serves it and all earlier ones.
    pub(super) request: RecheckRequest,
    /// The time when the first of them was requested.
    pub(super) requested_at: Instant,
}

/// A request that is not decided yet, and what it withholds from the client.
#[derive(Debug)]
pub(super) struct PendingRecheck {
    pub(super) order: OrderId,
    pub(super) request: RecheckRequest,
    requested_at: Instant,
    cause: RecheckCause,
    /// The last entry of other rooms that does not need this decision.
    pub(super) preceded_by: u64,
    /// Even the entries of the order's room that precede it need this decision.
    withholds_room: bool,
    /// The last entry of the order's room that does not need it all the same: an earlier decision,
    /// which began after the entry, has allowed it.
    allowed_upto: u64,
    pub(super) is_being_decided: bool,
}

impl PendingRecheck {
    pub(super) fn new(
        order: &OrderId,
        request: RecheckRequest,
        cause: RecheckCause,
        preceded_by: u64,
        requested_at: Instant,
    ) -> Self {
        Self {
            order: order.clone(),
            request,
            requested_at,
            cause,
            preceded_by,
            withholds_room: true,
            allowed_upto: 0,
            is_being_decided: false,
        }
    }

    /// Makes it serve a later request, too.
    pub(super) fn repeat(
        &mut self,
        request: RecheckRequest,
        cause: RecheckCause,
        preceded_by: u64,
    ) {
        self.request = request;
        self.preceded_by = self.preceded_by.min(preceded_by);
        self.allowed_upto = self.allowed_upto.min(preceded_by);
        if cause == RecheckCause::Order {
            self.cause = cause;
            self.withholds_room = true;
        }
    }

    /// Notes that an earlier request was decided, and the order allowed for entries up to this one.
    pub(super) fn earlier_was_allowed(&mut self, upto: u64) {
        // The decision may have begun for this one, too, before another request was added to it.
        self.is_being_decided = false;
        let allowed_upto = upto.min(self.preceded_by);
        self.allowed_upto = self.allowed_upto.max(allowed_upto);
        if self.cause == RecheckCause::Round {
            self.withholds_room = false;
        }
    }

    /// Returns whether it withholds entry `n` of the order's room.
    pub(super) const fn withholds(&self, n: u64) -> bool {
        self.withholds_room && n > self.allowed_upto
    }

    pub(super) fn to_decide(&self) -> RecheckToDecide {
        RecheckToDecide {
            order: self.order.clone(),
            request: self.request,
            requested_at: self.requested_at,
        }
    }
}
