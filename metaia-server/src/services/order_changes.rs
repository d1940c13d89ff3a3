//! Changes of orders: to their next status, and to other tailors and couriers.

use metaia_realtime::{
    NewEntry, OrderId, Role,
    planted_faults::{Fault, planted},
};
use serde::{Deserialize, Serialize};

use super::{
    error::ServiceError,
    handle::{MAX_ATTEMPTS, Services},
    idempotency::{IdempotentReply, Once},
    notifications::add_notices,
    orders::order_change,
    permissions::only,
    reference::{self, OrderReference},
};
use crate::{
    model::{
        Assignment, Caller, Notice, Order, OrderStatus, Precondition, Timestamp, TransitionRefusal,
    },
    store::{Change, CommitError, IdempotencyClaim, StoredReply, Whose, Write},
};

/// The body of `PUT /api/orders/:id/status`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusChange {
    /// The requested status.
    pub status: OrderStatus,
}

/// A request to change an order.
#[derive(Debug, Clone, Serialize)]
pub struct OrderChange<T> {
    /// The order.
    pub order: OrderId,
    /// The versions of it that the caller accepts as the current one.
    pub seen: Precondition,
    /// The change.
    pub body: T,
}

impl<T> OrderChange<T> {
    fn require_seen(&self, order: &Order) -> Result<(), ServiceError> {
        if self.seen.holds_for(order.version) || planted(Fault::IfMatchIgnored) {
            Ok(())
        } else {
            Err(ServiceError::VersionMismatch)
        }
    }
}

impl Services {
    /// Moves an order to another status. `reply` makes the reply from the order in its new version.
    ///
    /// A cancellation has access to the order's room decided again, after the update. With the
    /// policy of this server all who could follow the order still may.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn set_status(
        &self,
        caller: &Caller,
        key: Option<&str>,
        request: OrderChange<StatusChange>,
        reply: fn(&Order) -> StoredReply,
    ) -> Result<IdempotentReply, ServiceError> {
        let to = request.body.status;
        let decide = |order: &Order, role| {
            let now = Timestamp::now();
            let moved = order.moved(role, to, now);
            // A caller who may never take this step learns that first, then a caller who has seen
            // an old version, and last a caller whose step is impossible.
            if moved == Err(TransitionRefusal::Forbidden) {
                return Err(ServiceError::Forbidden);
            }
            request.require_seen(order)?;
            let from = order.status;
            let moved = moved.map_err(|_| ServiceError::IllegalTransition { from, to })?;
            let mut change = order_change(&moved, Write::Order, OrderReference::stored)?;
            if moved.status == OrderStatus::Cancelled {
                // After the update: who follows the order learns that it is cancelled.
                change.events.push(NewEntry::recheck(moved.id.clone()));
            }
            add_notices(&mut change, Notice::moved(&moved, role), now)?;
            Ok(Some((moved, change)))
        };
        let work = |claim| self.change_order(caller, &request.order, claim, decide);
        let route = "PUT /api/orders/:id/status";
        let done = self.once(caller, route, key, &request, work).await?;
        self.reply_with_order(done, reply).await
    }

    /// Assigns an order to a tailor or a courier, or removes an assignment. `reply` makes the reply
    /// from the order, also if the assignment changes nothing.
    ///
    /// The events are, in this order: the recheck of access to the order's room, so that a removed
    /// user does not see what follows; the update; the notifications of added and removed users.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn assign(
        &self,
        caller: &Caller,
        key: Option<&str>,
        request: OrderChange<Assignment>,
        reply: fn(&Order) -> StoredReply,
    ) -> Result<IdempotentReply, ServiceError> {
        only(Role::Admin, caller)?;
        if request.body.is_empty() {
            return Err(ServiceError::invalid(
                "",
                "must have a tailor or a deliveryPartner",
            ));
        }
        let decide = |order: &Order, _| {
            request.require_seen(order)?;
            if order.status.is_final() {
                return Err(ServiceError::OrderClosed(order.status));
            }
            let now = Timestamp::now();
            let Some(assigned) = order.assigned(&request.body, now) else {
                return Ok(None);
            };
            let mut change = order_change(&assigned.order, Write::Order, OrderReference::stored)?;
            let recheck = NewEntry::recheck(assigned.order.id.clone());
            let place = usize::from(planted(Fault::RevokedLate));
            change.events.insert(place, recheck);
            add_notices(&mut change, Notice::assigned(&assigned), now)?;
            Ok(Some((assigned.order, change)))
        };
        let work = |claim| self.change_order(caller, &request.order, claim, decide);
        let route = "PUT /api/orders/:id/assign";
        let done = self.once(caller, route, key, &request, work).await?;
        self.reply_with_order(done, reply).await
    }

    /// Decides on the current order, and again if the order changes before the commit. A decision
    /// of `None` changes nothing. Returns the order after the change.
    async fn change_order(
        &self,
        caller: &Caller,
        id: &OrderId,
        claim: Option<IdempotencyClaim>,
        decide: impl Fn(&Order, Role) -> Result<Option<(Order, Change)>, ServiceError>,
    ) -> Result<Order, ServiceError> {
        let mut read = self.visible_order(caller, id).await?;
        for _ in 0..MAX_ATTEMPTS {
            let mut decided = decide(&read.0, read.1);
            if decided.is_err() {
                // The order that was read may be old: no request is refused because of that.
                read = self.latest_visible_order(caller, id).await?;
                decided = decide(&read.0, read.1);
            }
            let (order, mut change) = match decided? {
                Some(decided) => decided,
                None if claim.is_none() => return Ok(read.0),
                None => {
                    let reference = OrderReference::stored(&read.0);
                    (read.0, Change::replying(reference))
                }
            };
            change.claim = claim.clone();
            match self.store().commit(change).await {
                Err(CommitError::Missed) => {}
                done => return Ok(done.map(|_| order)?),
            }
            read = self.latest_visible_order(caller, id).await?;
        }
        Err(ServiceError::Busy)
    }

    /// Makes the reply from the order of a change that was made now or before.
    async fn reply_with_order(
        &self,
        done: Once<Order>,
        reply: fn(&Order) -> StoredReply,
    ) -> Result<IdempotentReply, ServiceError> {
        let stored = match done {
            Once::First(order) => return Ok(IdempotentReply::first(reply(&order))),
            Once::Before(stored) => stored,
        };
        let reference: OrderReference = reference::read(&stored)?;
        let later = self.store().order(&Whose::All, &reference.order).await?;
        let order = reference.of(later.ok_or(ServiceError::NotFound)?);
        Ok(IdempotentReply::again(reply(&order)))
    }
}
