//! The contract of [`DeviceStore`], as checks that any store can be put to.
//!
//! As in [`log_contract`](super::log_contract): a [`Subject`] says how to open the store, and
//! [`device_contract!`](crate::device_contract!) makes a test of each [`Clause`].
//!
//! ```
//! # struct InMemory;
//! use metaia_realtime::{device::MemoryDevices, testing::device_contract::Subject};
//!
//! impl Subject for InMemory {
//!     type Store = MemoryDevices;
//!     const DURABLE: bool = false;
//!     fn new() -> Self {
//!         Self
//!     }
//!     async fn open(&self) -> MemoryDevices {
//!         MemoryDevices::default()
//!     }
//! }
//!
//! mod devices {
//!     metaia_realtime::device_contract!(super::InMemory);
//! }
//! # use metaia_realtime::testing::device_contract::{Clause, check};
//! # assert_eq!(check::<InMemory>(Clause::Saved), Ok(()));
//! ```

mod checks;
#[cfg(test)]
mod tests;

use std::future::Future;

use super::contract::clauses;
use crate::device::DeviceStore;

/// A place where a store of the kind under test can be. What goes wrong here is said with a panic.
pub trait Subject: Send + Sync + 'static {
    /// The store.
    type Store: DeviceStore;

    /// Whether what was saved is still there when the store is opened again.
    const DURABLE: bool;

    /// A new place, with nothing in it.
    fn new() -> Self;

    /// Opens the store of this place.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;

    /// Ends the store in an orderly way. Unless it says otherwise, it is dropped.
    fn close(&self, store: Self::Store) -> impl Future<Output = ()> + Send {
        async { drop(store) }
    }
}

clauses! {
    /// A clause of the contract of [`DeviceStore`].
    enum Clause for Subject;

    /// `load` answers what the last `save` gave, whatever it was, and nothing where there was none.
    Saved => checks::saved,
    /// A record takes the place of the one before under its key, also within one `save`.
    Replaced => checks::replaced,
    /// A key is nobody else's, however alike the two are.
    Apart => checks::apart,
    /// A record that is older than a day is gone, and only that one.
    Expired => checks::expired,
    /// Of one user the newest records are kept, a limited number of them, and of others all.
    Bounded => checks::bounded,
    /// A `save` is all or nothing, whoever saves meanwhile.
    AtOnce => checks::at_once,
    /// A durable store has everything when it is opened again.
    Reopened => checks::reopened,
}

/// Makes a test of each clause of the contract, for a [`Subject`].
#[macro_export]
macro_rules! device_contract {
    ($subject:ty) => {
        $crate::device_contract! { @tests $subject:
            saved Saved, replaced Replaced, apart Apart, expired Expired, bounded Bounded, at_once AtOnce, reopened Reopened,
        }
    };
    (@tests $subject:ty: $($name:ident $clause:ident,)+) => {
        $(
            #[test]
            fn $name() {
                $crate::testing::device_contract::uphold::<$subject>(
                    $crate::testing::device_contract::Clause::$clause,
                );
            }
        )+

        /// So that no clause is forgotten here.
        #[test]
        fn every_clause_is_tested() {
            let tested = [$($crate::testing::device_contract::Clause::$clause),+];
            assert_eq!(tested, $crate::testing::device_contract::Clause::ALL);
        }
    };
}
