//! The contract of [`RevocationStore`](crate::revocation::RevocationStore), as checks that run on
//! any store.
//!
//! As in [`log_contract`](super::log_contract): a [`Subject`] opens the store, and
//! [`revocation_contract!`](crate::revocation_contract!) makes a test of each [`Clause`].
//!
//! ```
//! # struct InMemory;
//! use metaia_realtime::{revocation::MemoryRevocations, testing::revocation_contract::Subject};
//!
//! impl Subject for InMemory {
//!     type Store = MemoryRevocations;
//!     const DURABLE: bool = false;
//!     const SHARED: bool = false;
//!     fn new() -> Self {
//!         Self
//!     }
//!     async fn open(&self) -> MemoryRevocations {
//!         MemoryRevocations::default()
//!     }
//! }
//!
//! mod revocations {
//!     metaia_realtime::revocation_contract!(super::InMemory);
//! }
//! # use metaia_realtime::testing::revocation_contract::{Clause, check};
//! # assert_eq!(check::<InMemory>(Clause::Stored), Ok(()));
//! ```

mod checks;
mod clause;
mod pages;
mod probe;
mod shared;
mod story;
mod subject;
#[cfg(test)]
mod tests;

pub use clause::{Clause, check, uphold};
pub use subject::Subject;

/// Makes a test of each clause of the contract, for a [`Subject`].
#[macro_export]
macro_rules! revocation_contract {
    ($subject:ty) => {
        $crate::revocation_contract! { @tests $subject:
            stored Stored, monotone Monotone, apart Apart, repeated Repeated, ended Ended,
            changed Changed, paged Paged, put_between_pages PutBetweenPages, at_once AtOnce,
            reopened Reopened, modelled Modelled, shared Shared,
        }
    };
    (@tests $subject:ty: $($name:ident $clause:ident,)+) => {
        $(
            #[test]
            fn $name() {
                $crate::testing::revocation_contract::uphold::<$subject>(
                    $crate::testing::revocation_contract::Clause::$clause,
                );
            }
        )+

        /// Fails if a clause has no test here.
        #[test]
        fn every_clause_is_tested() {
            let tested = [$($crate::testing::revocation_contract::Clause::$clause),+];
            assert_eq!(tested, $crate::testing::revocation_contract::Clause::ALL);
        }
    };
}
