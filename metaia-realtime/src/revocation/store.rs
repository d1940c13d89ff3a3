//! The contract of stores for revocations.

use std::future::Future;

use futures_util::future::BoxFuture;

use super::Revocation;

/// Error of a store of revocations that cannot be read or written now. A revocation may have been
/// stored all the same: to store it again is safe.
#[derive(Debug, thiserror::Error)]
#[error("revocations are not available")]
pub struct RevocationError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl RevocationError {
    /// Wraps the cause. It is logged and never sent to clients.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// The point up to which a reader knows the changes of a store. Its text means something to the
/// store alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RevocationCursor(String);

impl RevocationCursor {
    /// Returns the cursor with this text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The revocations that a store has stored since a cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RevocationChanges {
    /// The records as they stand, in any order. There may be some that the reader knows.
    pub revocations: Vec<Revocation>,
    /// The cursor to read the next changes with.
    pub cursor: RevocationCursor,
}

/// A store for revocations.
///
/// Contract, with the failure that each clause prevents:
/// - `put` keeps one record per [key](Revocation::key): that with the greatest
///   [bound](Revocation::bound), which it returns. It never lowers a bound: a late repetition of an
///   older request would let revoked tokens in again.
/// - When `put` returns `Ok`, the record is as durable as the store promises to be at all: a node
///   tells its caller that the token is refused from now on, and a restart must not take that back.
/// - `changed_since` without a cursor returns every record. With a cursor it returns at least every
///   record that a `put` changed and that none of the earlier results had, whatever other nodes do
///   at the same time: a reader reads each change once, and would never see one that becomes
///   visible behind its cursor. So never take a number for a change before the change is visible;
///   where the order is by time, go back by more than a `put` takes. To return more is always
///   right.
/// - A `put` that has returned is seen by every `changed_since` that begins after it, on each node.
/// - The record of a token is removed when it [has ended](Revocation::has_ended), at the latest at
///   the next `put`, and never before: otherwise the store grows for ever, or lets the token in.
///   All others are kept for good.
/// - A record that is damaged is not left out: return one that is of more tokens instead, such as
///   [`Revocation::of_everyone`] until now. Otherwise a damaged disk lets revoked tokens in.
///
/// `testing::revocation_contract` (feature `testing`) tests a store against the contract.
pub trait RevocationStore: Send + Sync + 'static {
    /// Returns true if others may put revocations into the store while this node runs. The node
    /// then reads what has changed once a second; otherwise it reads once, at its start.
    fn is_shared(&self) -> bool;

    /// Stores a revocation, and returns the record that stands now.
    ///
    /// # Errors
    /// Returns [`RevocationError`] if the revocation was not stored, or may not have been. To store
    /// it again is safe.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the outcome open.
    fn put(
        &self,
        revocation: Revocation,
    ) -> impl Future<Output = Result<Revocation, RevocationError>> + Send;

    /// Returns the records that were stored since the cursor; all of them without one.
    ///
    /// # Errors
    /// Returns [`RevocationError`] if the store cannot be read, or cannot tell whether it is behind
    /// another node's `put`.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    fn changed_since(
        &self,
        since: Option<RevocationCursor>,
    ) -> impl Future<Output = Result<RevocationChanges, RevocationError>> + Send;
}

/// The erased twin of [`RevocationStore`].
pub(crate) trait DynRevocationStore: Send + Sync {
    fn is_shared(&self) -> bool;
    fn put(&self, revocation: Revocation) -> BoxFuture<'_, Result<Revocation, RevocationError>>;
    fn changed_since(
        &self,
        since: Option<RevocationCursor>,
    ) -> BoxFuture<'_, Result<RevocationChanges, RevocationError>>;
}

impl<S: RevocationStore> DynRevocationStore for S {
    fn is_shared(&self) -> bool {
        RevocationStore::is_shared(self)
    }
    fn put(&self, revocation: Revocation) -> BoxFuture<'_, Result<Revocation, RevocationError>> {
        Box::pin(RevocationStore::put(self, revocation))
    }
    fn changed_since(
        &self,
        since: Option<RevocationCursor>,
    ) -> BoxFuture<'_, Result<RevocationChanges, RevocationError>> {
        Box::pin(RevocationStore::changed_since(self, since))
    }
}
