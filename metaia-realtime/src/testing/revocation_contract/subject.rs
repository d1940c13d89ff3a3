//! The subject of the checks: a kind of store, and the way to open it.

use std::future::Future;

use crate::revocation::RevocationStore;

/// A place for a store of the kind under test. A method that fails panics.
pub trait Subject: Send + Sync + 'static {
    /// The store.
    type Store: RevocationStore;

    /// Set if a record still exists when the store is opened again.
    const DURABLE: bool;

    /// Set if several nodes may use the store at the same time. Then [`open`](Self::open) is called
    /// once for each of them, and the store says so, too
    /// ([`is_shared`](RevocationStore::is_shared)).
    const SHARED: bool;

    /// Creates a new, empty place.
    fn new() -> Self;

    /// Opens the store of this place.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;

    /// Closes the store in an orderly way. The default drops it.
    fn close(&self, store: Self::Store) -> impl Future<Output = ()> + Send {
        async { drop(store) }
    }
}
