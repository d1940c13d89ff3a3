//! The contract of stores for revocations.

use std::{fmt, future::Future};

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
///
/// `Debug` leaves the text out: it may contain the id of a token.
#[derive(Clone, Default, PartialEq, Eq)]
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

impl fmt::Debug for RevocationCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationCursor").finish_non_exhaustive()
    }
}

/// A page of the revocations that a store has stored since a cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RevocationChanges {
    /// The records as they stand, in any order. There may be some that the reader knows.
    pub revocations: Vec<Revocation>,
    /// The cursor to read the next page with, or the next changes.
    pub cursor: RevocationCursor,
    /// Set if more follows: the pass is not over.
    pub has_more: bool,
}

/// A store for revocations.
///
/// Contract, with the failure that each clause prevents:
/// - `put` keeps one record per [key](Revocation::key): that with the greatest
///   [bound](Revocation::bound), which it returns. It never lowers a bound: a late repetition of an
///   older request would let revoked tokens in again.
/// - When `put` returns `Ok`, the record is as durable as the store promises to be at all: a node
///   tells its caller that the token is refused from now on, and a restart must not take that back.
/// - A reader reads in **passes**. A pass begins without a cursor, or with that of the last page of
///   the pass before it, and ends with the first page that has no more
///   ([`has_more`](RevocationChanges::has_more)). A page has at most `limit` records, of which none
///   comes twice in a pass while nobody puts: each page takes a time that is known, so that a node
///   with very many records gets ready, and a page that failed is read again alone.
/// - The first pass returns every record. A later one returns at least every record that a `put`
///   changed and that no earlier page had, whatever other nodes do at the same time: a reader reads
///   each change once, and would never see one that becomes visible behind its cursor. So never
///   take a number for a change before the change is visible; where the order is by time, go back
///   by more than a `put` takes, and know that many records may have one time, also across the
///   border of two pages. To return more is always right.
/// - A `put` that has returned is seen by every pass that begins after it, on each node.
/// - The record of a token is removed when it [has ended](Revocation::has_ended), at the latest at
///   the next `put`, and never before: otherwise the store grows for ever, or lets the token in.
///   All others are kept for good.
/// - A record that is damaged counts as one of more tokens: replace it by
///   [`Revocation::of_everyone`] until now, in a page as well as when its key is put again, and
///   when records that have ended are removed. Otherwise a damaged disk lets revoked tokens in, if
///   only once a weaker record is put over it.
///
/// A `jti` is revoked whoever issued the token: if you accept the tokens of several issuers, one
/// record is of all tokens with this `jti` (RFC 7519, section 4.1.7, makes collisions improbable).
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

    /// Returns a page of the records that were stored since the cursor, at most `limit` (1 or
    /// more); without a cursor the first page of all of them.
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
        limit: usize,
    ) -> impl Future<Output = Result<RevocationChanges, RevocationError>> + Send;
}

/// The erased twin of [`RevocationStore`].
pub(crate) trait DynRevocationStore: Send + Sync {
    fn is_shared(&self) -> bool;
    fn put(&self, revocation: Revocation) -> BoxFuture<'_, Result<Revocation, RevocationError>>;
    fn changed_since(
        &self,
        since: Option<RevocationCursor>,
        limit: usize,
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
        limit: usize,
    ) -> BoxFuture<'_, Result<RevocationChanges, RevocationError>> {
        Box::pin(RevocationStore::changed_since(self, since, limit))
    }
}
