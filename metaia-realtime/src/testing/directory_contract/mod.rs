//! The contract of [`Directory`], as checks that any directory can be put to.
//!
//! As in [`log_contract`](super::log_contract): a [`Subject`] says how to open the directory, and
//! [`directory_contract!`](crate::directory_contract!) makes a test of each [`Clause`].
//!
//! ```
//! # struct InMemory(MemoryDirectory);
//! use metaia_realtime::{MemoryDirectory, testing::directory_contract::Subject};
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
mod nodes;
mod probe;
mod reads;
#[cfg(test)]
mod tests;

use std::future::Future;

use super::contract::clauses;
use crate::presence::Directory;

/// A place where a directory of the kind under test can be. What goes wrong here is said with a
/// panic.
pub trait Subject: Send + Sync + 'static {
    /// The directory.
    type Directory: Directory;

    /// A new place, with nothing in it.
    fn new() -> Self;

    /// The directory of this place, as a node has it: each call is another node's.
    fn open(&self) -> impl Future<Output = Self::Directory> + Send;
}

clauses! {
    /// A clause of the contract of [`Directory`].
    enum Clause for Subject;

    /// What a node announces is seen by all, as it was announced, and by nobody where the node has
    /// not begun.
    Seen => checks::seen,
    /// A later change of a session counts, also within one announcement, and one that is gone is
    /// not seen.
    Changed => checks::changed,
    /// A node that begins again has no sessions, and other nodes have theirs.
    BegunAgain => checks::begun_again,
    /// A node that leaves is not seen, nor are its sessions; one that is not there may leave, too.
    Left => checks::left,
    /// A node whose lease is over is not seen, nor are its sessions, and it cannot renew it.
    Lapsed => checks::lapsed,
    /// A lease that is renewed in time does not end, however long that goes on.
    Renewed => checks::renewed,
    /// What a node announces after its lease is not seen, neither then nor when it begins again.
    AfterItsTime => checks::after_its_time,
    /// The nodes are those that are here, as they last said, in the order of their ids.
    Nodes => nodes::nodes,
    /// Nodes that announce at the same time do not disturb each other.
    AtOnce => nodes::at_once,
    /// A thousand changes go into one announcement.
    Large => nodes::large,
    /// A query gives the sessions that meet all of it.
    Selected => reads::selected,
    /// Pages of sessions have each once, in the order of their ids.
    SessionPages => reads::session_pages,
    /// Rooms are counted over all nodes but the one named, and everyone's is none of them.
    Rooms => reads::rooms,
    /// Pages of rooms have each once, in the order of their names.
    RoomPages => reads::room_pages,
}

/// Makes a test of each clause of the contract, for a [`Subject`].
#[macro_export]
macro_rules! directory_contract {
    ($subject:ty) => {
        $crate::directory_contract! { @tests $subject:
            seen Seen, changed Changed, begun_again BegunAgain, left Left, lapsed Lapsed, renewed Renewed,
            after_its_time AfterItsTime, nodes Nodes, at_once AtOnce, large Large, selected Selected,
            session_pages SessionPages, rooms Rooms, room_pages RoomPages,
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

        /// So that no clause is forgotten here.
        #[test]
        fn every_clause_is_tested() {
            let tested = [$($crate::testing::directory_contract::Clause::$clause),+];
            assert_eq!(tested, $crate::testing::directory_contract::Clause::ALL);
        }
    };
}
