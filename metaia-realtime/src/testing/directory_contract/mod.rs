//! The contract of [`Directory`](crate::presence::Directory), as checks that run on any directory.
//!
//! As in [`log_contract`](super::log_contract): a [`Subject`] opens the directory, and
//! [`directory_contract!`](crate::directory_contract!) makes a test of each [`Clause`].
//!
//! ```
//! # struct InMemory(MemoryDirectory);
//! use metaia_realtime::{presence::MemoryDirectory, testing::directory_contract::Subject};
//!
//! impl Subject for InMemory {
//!     type Directory = MemoryDirectory;
//!     fn new() -> Self {
//!         Self(MemoryDirectory::default())
//!     }
//!     async fn open(&self) -> MemoryDirectory {
//!         self.0.clone()
//!     }
//! }
//!
//! mod directory {
//!     metaia_realtime::directory_contract!(super::InMemory);
//! }
//! # use metaia_realtime::testing::directory_contract::{Clause, check};
//! # assert_eq!(check::<InMemory>(Clause::Seen), Ok(()));
//! ```

mod checks;
mod clause;
mod nodes;
mod probe;
mod queries;
mod reads;
mod subject;
#[cfg(test)]
mod tests;

pub use clause::{Clause, check, uphold};
pub use subject::Subject;

/// Makes a test of each clause of the contract, for a [`Subject`].
#[macro_export]
macro_rules! directory_contract {
    ($subject:ty) => {
        $crate::directory_contract! { @tests $subject:
            seen Seen, changed Changed, begun_again BegunAgain, left Left, lapsed Lapsed,
            renewed Renewed, after_its_time AfterItsTime, nodes Nodes, at_once AtOnce, large Large,
            selected Selected, session_pages SessionPages, rooms Rooms, room_pages RoomPages,
        }
    };
    (@tests $subject:ty: $($name:ident $clause:ident,)+) => {
        $(
            #[test]
            fn $name() {
                $crate::testing::directory_contract::uphold::<$subject>(
                    $crate::testing::directory_contract::Clause::$clause,
                );
            }
        )+

        /// Fails if a clause has no test here.
        #[test]
        fn every_clause_is_tested() {
            let tested = [$($crate::testing::directory_contract::Clause::$clause),+];
            assert_eq!(tested, $crate::testing::directory_contract::Clause::ALL);
        }
    };
}
