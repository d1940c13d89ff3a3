//! The contract of [`DeviceStore`](crate::device::DeviceStore), as checks that run on any store.
//!
//! As in [`log_contract`](super::log_contract): a [`Subject`] opens the store, and
//! [`device_contract!`](crate::device_contract!) makes a test of each [`Clause`].
//!
//! ```
//! # struct InMemory;
//! use metaia_realtime::{device::MemoryDevices, testing::device_contract::Subject};
//!
//! impl Subject for InMemory {
//!     type Store = MemoryDevices;
//!     const DURABLE: bool = false;
//!     const SHARED: bool = false;
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
mod clause;
mod sample;
mod shared;
mod subject;
#[cfg(test)]
mod tests;

pub use clause::{Clause, check, uphold};
pub use subject::Subject;

/// Makes a test of each clause of the contract, for a [`Subject`].
#[macro_export]
macro_rules! device_contract {
    ($subject:ty) => {
        $crate::device_contract! { @tests $subject:
            saved Saved, replaced Replaced, apart Apart, expired Expired, bounded Bounded,
            at_once AtOnce, left Left, known Known, reopened Reopened, apiece Apiece,
            taken_over TakenOver, moved Moved,
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

        /// Fails if a clause has no test here.
        #[test]
        fn every_clause_is_tested() {
            let tested = [$($crate::testing::device_contract::Clause::$clause),+];
            assert_eq!(tested, $crate::testing::device_contract::Clause::ALL);
        }
    };
}
