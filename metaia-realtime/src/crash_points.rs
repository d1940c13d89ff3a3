//! Named points at which a crash test aborts the process, as `kill -9` would.
//!
//! `METAIA_CRASH=in-transaction:3` aborts when the process reaches the point `in-transaction` for
//! the third time. Without the feature `__crash-points` a point does nothing.
//!
//! | point | state at the point |
//! |---|---|
//! | `before-transaction` | a group of writes was taken from the queue, no transaction has begun |
//! | `in-transaction` | all of the group is written, nothing is committed |
//! | `after-commit` | the group is on disk, no caller has been notified |
//! | `mid-trim` | a transaction has deleted entries and is not committed |
//! | `mid-replay` | a session has taken some of the entries that its client missed, not all |
//! | `mongo-begin` | MongoDB: nothing of a batch is written |
//! | `mongo-head` | MongoDB: a transaction has written the head |
//! | `mongo-written` | MongoDB: all of the batch is written, nothing is committed |
//! | `mongo-pending` | a standalone MongoDB: the batch is committed, none of it is carried out |
//! | `mongo-group` | a standalone MongoDB: some records are carried out |
//! | `mongo-carried` | a standalone MongoDB: all is carried out, the head does not say so yet |
//! | `mongo-committed` | MongoDB: the batch is stored, no caller has been notified |
//! | `mongo-trim-marks` | MongoDB: the marks of the entries to be trimmed are raised |
//! | `mongo-trim-floor` | MongoDB: the floor is raised, nothing is deleted |
//! | `checkpoint` | the write-ahead log is about to be moved into the database |

#[cfg(feature = "__crash-points")]
#[allow(
    unused_imports,
    reason = "most points belong to a feature of their own"
)]
pub(crate) use active::point;

/// Does nothing, because the feature is off.
#[cfg(not(feature = "__crash-points"))]
#[allow(dead_code, reason = "most points belong to a feature of their own")]
pub(crate) const fn point(_name: &str) {}

#[cfg(feature = "__crash-points")]
mod active {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    };

    /// The point at which to abort, and how many times it is still reached, the last time included.
    static ABORT_AT: LazyLock<Option<(String, AtomicU64)>> = LazyLock::new(|| {
        let text = std::env::var("METAIA_CRASH").ok()?;
        let (name, nth) = text.split_once(':').unwrap_or((&text, "1"));
        Some((name.to_owned(), AtomicU64::new(nth.parse().ok()?)))
    });

    /// Aborts the process if `METAIA_CRASH` names this point and this is the chosen time.
    #[allow(dead_code, reason = "most points belong to a feature of their own")]
    pub(crate) fn point(name: &str) {
        if let Some((wanted, left)) = &*ABORT_AT
            && wanted == name
            && left.fetch_sub(1, Relaxed) == 1
        {
            std::process::abort();
        }
    }
}
