//! The contract of [`EventLog`](crate::EventLog), as checks that run on any log.
//!
//! Implement a [`Subject`], which opens and trims your log, and
//! [`log_contract!`](crate::log_contract!) makes a test of each [`Clause`]:
//!
//! ```
//! # struct InMemory;
//! use metaia_realtime::{MemoryLog, log::Retention, testing::log_contract::Subject};
//!
//! impl Subject for InMemory {
//!     type Log = MemoryLog;
//!     const DURABLE: bool = false;
//!     fn new() -> Self {
//!         Self
//!     }
//!     async fn open(&self, retention: Retention) -> MemoryLog {
//!         MemoryLog::new(retention)
//!     }
//!     async fn trim(&self, log: &MemoryLog) {
//!         log.trim();
//!     }
//! }
//!
//! mod memory {
//!     metaia_realtime::log_contract!(super::InMemory);
//! }
//! # use metaia_realtime::testing::log_contract::{Clause, check};
//! # assert_eq!(check::<InMemory>(Clause::Rooms), Ok(()));
//! ```
//!
//! A log that survives its process can also be killed repeatedly: see [`killed`].
//!
//! Each check has a runtime of its own with several threads, and can be called from anywhere. A
//! check that fails returns the promise and the observation that contradicts it.

mod append;
mod changes;
mod clause;
mod concurrent;
mod content;
mod crowd;
mod deep;
mod kill;
mod model;
mod pace;
mod probe;
mod read;
mod reopen;
mod sample;
mod story;
mod subject;
mod survivors;
#[cfg(test)]
mod tests;
mod trial;
mod trim;

pub use clause::{Clause, check, uphold};
pub use kill::killed;
use pace::{Looker, Pace};
use probe::LogProbe;
pub use subject::{KillableSubject, Subject};
use trial::Trial;

use super::contract::{Verdict, ensure, equal};

/// Makes a test of each clause of the contract, for a [`Subject`].
///
/// `log_contract!(MyLog, kills: 20)`, for a [`KillableSubject`] subject, also makes the test
/// `survives_kills`, which kills 20 processes that have the log open.
#[macro_export]
macro_rules! log_contract {
    ($subject:ty, kills: $kills:expr) => {
        $crate::log_contract!($subject);
        #[test]
        fn survives_kills() {
            let test = concat!(module_path!(), "::survives_kills");
            $crate::testing::log_contract::killed::<$subject>(test, $kills);
        }
    };
    ($subject:ty) => {
        $crate::log_contract! { @tests $subject:
            numbers Numbers, contiguous Contiguous, whole Whole, large_batches LargeBatches,
            idempotent Idempotent, idempotent_at_once IdempotentAtOnce, visible Visible,
            visible_at_once VisibleAtOnce, followed Followed, rooms Rooms, pages Pages,
            limits Limits, deep Deep, history History, epochs Epochs, payloads Payloads,
            names_and_rooms NamesAndRooms, control_entries ControlEntries, times Times,
            trim_by_count TrimByCount,
            trim_by_bytes TrimByBytes, trim_by_age TrimByAge, last_stays LastStays, marks Marks,
            trimmed_while_reading TrimmedWhileReading, reopened Reopened, crashed Crashed,
            told Told, told_in_order ToldInOrder, stories Stories,
        }
    };
    (@tests $subject:ty: $($name:ident $clause:ident,)+) => {
        $(
            #[test]
            fn $name() {
                $crate::testing::log_contract::uphold::<$subject>(
                    $crate::testing::log_contract::Clause::$clause,
                );
            }
        )+

        /// Fails if a clause has no test here.
        #[test]
        fn every_clause_is_tested() {
            let tested = [$($crate::testing::log_contract::Clause::$clause),+];
            assert_eq!(tested, $crate::testing::log_contract::Clause::ALL);
        }
    };
}
