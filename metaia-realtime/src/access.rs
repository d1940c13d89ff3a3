//! The access policy on order rooms.

use std::future::Future;

use futures_util::future::BoxFuture;

use crate::{Identity, OrderId, Role};

/// The decision of an access policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessDecision {
    /// The user may follow the order.
    Allowed,
    /// The user may not follow the order, or there is no such order. Clients cannot tell the two
    /// apart.
    Denied,
}

/// Error of a policy that cannot decide now. The client receives `unavailable` and may try again.
#[derive(Debug, thiserror::Error)]
#[error("access cannot be decided at the moment")]
pub struct AccessError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl AccessError {
    /// Wraps the cause. It is logged and never sent to clients.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// Decides which users may follow an order. Without a policy, only admins may.
///
/// Contract, with the failure that each clause prevents:
/// - The decision reflects the *present* committed state: a cached decision would let a replaced
///   tailor back in.
/// - When a decision may have changed, the embedder publishes a recheck *together with* the change
///   ([`NewEntry::recheck`](crate::log::NewEntry::recheck)), or after it
///   ([`Realtime::recheck_order`](crate::Realtime::recheck_order)): until then the sessions in the
///   room keep receiving.
/// - A missing order takes the same path as a forbidden one: otherwise the response time reveals
///   which orders exist.
///
/// ```
/// use std::collections::HashMap;
///
/// use metaia_realtime::{AccessDecision, AccessError, Identity, OrderAccess, OrderId, UserId};
///
/// /// Lets customers follow their own orders.
/// struct Owners(HashMap<OrderId, UserId>);
///
/// impl OrderAccess for Owners {
///     async fn may_join(
///         &self,
///         who: &Identity,
///         order: &OrderId,
///     ) -> Result<AccessDecision, AccessError> {
///         match self.0.get(order) {
///             Some(owner) if *owner == who.user => Ok(AccessDecision::Allowed),
///             _ => Ok(AccessDecision::Denied),
///         }
///     }
/// }
/// ```
pub trait OrderAccess: Send + Sync + 'static {
    /// Decides whether `who` may follow `order` now.
    ///
    /// The node asks for each join of an order's room: on `join_order_room`, and for each room that
    /// a client names or had when it reconnects. It asks again for each session in the room after a
    /// recheck, and for all order rooms if rechecks may have been missed: after a new epoch, a hole
    /// in the log, a control entry that cannot be read, or if the log can first be read after the
    /// node's start. It never asks for single events.
    ///
    /// A decision must come within 5 s; a later one counts as an error. While the policy decides on
    /// a join, the session's next inbound events wait. While it decides on a recheck, or on the
    /// rooms of a client that reconnects, the session receives no stored event, of no room: if its
    /// client had a later position, it would never receive what the room has up to there. The
    /// rechecks of a session are decided at the same time, and at most 256 of a node.
    ///
    /// # Errors
    /// Returns [`AccessError`] if the policy cannot decide now.
    ///
    /// - A join by `join_order_room` is refused with `unavailable`. The client may try again.
    /// - The rooms of a client that resumes from a position are tried for 10 s; then the client is
    ///   told to reload (`rt:reset` with `too_old`).
    /// - A recheck is tried again, with pauses of 0.1 s to 1 s, until the policy decides, for at
    ///   most 5 s ([`Limits::recheck_hold`](crate::Limits::recheck_hold)). Then the session leaves
    ///   the room, its client receives `rt:room_left` with the reason `unavailable`, and the
    ///   session goes on with its other rooms. Waiting for other rechecks costs no room, as long as
    ///   the policy decides any.
    ///
    /// # Cancel safety
    /// The node drops the future if the session ends meanwhile.
    fn may_join(
        &self,
        who: &Identity,
        order: &OrderId,
    ) -> impl Future<Output = Result<AccessDecision, AccessError>> + Send;
}

/// The default policy: only admins follow orders.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdminsOnly;

impl OrderAccess for AdminsOnly {
    async fn may_join(&self, who: &Identity, _: &OrderId) -> Result<AccessDecision, AccessError> {
        if who.role == Role::Admin {
            Ok(AccessDecision::Allowed)
        } else {
            Ok(AccessDecision::Denied)
        }
    }
}

/// The erased twin of [`OrderAccess`].
pub(crate) trait DynOrderAccess: Send + Sync {
    fn may_join<'a>(
        &'a self,
        who: &'a Identity,
        order: &'a OrderId,
    ) -> BoxFuture<'a, Result<AccessDecision, AccessError>>;
}

impl<P: OrderAccess> DynOrderAccess for P {
    fn may_join<'a>(
        &'a self,
        who: &'a Identity,
        order: &'a OrderId,
    ) -> BoxFuture<'a, Result<AccessDecision, AccessError>> {
        Box::pin(OrderAccess::may_join(self, who, order))
    }
}
