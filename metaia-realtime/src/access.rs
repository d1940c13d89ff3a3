//! The policy on order rooms.

use std::future::Future;

use futures_util::future::BoxFuture;

use crate::{Identity, OrderId, Role};

/// What a policy answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessDecision {
    /// May follow the order.
    Allowed,
    /// May not, or there is no such order: clients cannot tell the two apart.
    Denied,
}

/// A policy could not decide now; the client is told `unavailable` and may try again.
#[derive(Debug, thiserror::Error)]
#[error("access cannot be decided at the moment")]
pub struct AccessError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl AccessError {
    /// Wraps the cause, which is logged and never sent.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// Decides who may follow an order. Without one, only admins may.
///
/// Contract, with the failure that each clause prevents:
/// - The answer is that of the *present* committed state: a cached one lets a replaced tailor back
///   in.
/// - When the answer may have changed, the embedder publishes a recheck *together with* the change
///   ([`NewEntry::recheck`](crate::log::NewEntry::recheck), or
///   [`Realtime::recheck_order`](crate::Realtime::recheck_order) after it): until then sessions in
///   the room keep receiving.
/// - A missing order takes the same path as a forbidden one: else its answer time tells that it
///   exists.
pub trait OrderAccess: Send + Sync + 'static {
    /// Whether `who` may follow `order` now.
    ///
    /// # Errors
    /// Where it cannot be decided now. The join is refused as `unavailable`; a recheck is tried
    /// again and then denied.
    ///
    /// # Cancel safety
    /// Dropped where the session ends meanwhile.
    fn may_join(
        &self,
        who: &Identity,
        order: &OrderId,
    ) -> impl Future<Output = Result<AccessDecision, AccessError>> + Send;
}

/// The default policy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdminsOnly;

impl OrderAccess for AdminsOnly {
    async fn may_join(&self, who: &Identity, _: &OrderId) -> Result<AccessDecision, AccessError> {
        Ok(if who.role == Role::Admin {
            AccessDecision::Allowed
        } else {
            AccessDecision::Denied
        })
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
