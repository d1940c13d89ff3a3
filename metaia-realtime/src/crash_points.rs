//! Named points at which a crash test has the process abort, as `kill -9` would there.
//!
//! `METAIA_CRASH=in-transaction:3` aborts when the point `in-transaction` is passed for the third
//! time. Without the feature `__crash-points` a point is nothing at all.
//!
//! | point | where |
//! |---|---|
//! | `before-transaction` | a group of writes was taken from the queue, and its transaction has not begun |
//! | `in-transaction` | all of the group is written, nothing is committed |
//! | `after-commit` | the group is on disk, and nobody has been told |
//! | `mid-trim` | entries are deleted in a transaction that is not committed |
//! | `mid-replay` | a session has taken an entry of what its client missed, and not all of it |
//! | `mongo-begin` | MongoDB: nothing of a batch is written |
//! | `mongo-head` | MongoDB: a transaction has written the head |
//! | `mongo-written` | MongoDB: all of the batch is written, nothing is committed |
//! | `mongo-pending` | a standalone MongoDB: the batch is committed, nothing of it is carried out |
//! | `mongo-group` | a standalone MongoDB: some records are carried out |
//! | `mongo-carried` | a standalone MongoDB: all is carried out, and the head does not say so |
//! | `mongo-committed` | MongoDB: the batch is stored, and nobody has been told |
//! | `mongo-trim-marks` | MongoDB: the marks of what is to be trimmed have risen |
//! | `mongo-trim-floor` | MongoDB: the floor has risen, nothing is deleted |
//! | `checkpoint` | the write-ahead log is about to be moved into the database |

#[cfg(feature = "__crash-points")]
#[allow(
    unused_imports,
    reason = "most points belong to a feature of their own"
)]
pub(crate) use active::point;

/// Does nothing: the feature is off.
#[cfg(not(feature = "__crash-points"))]
#[allow(dead_code, reason = "most points belong to a feature of their own")]
pub(crate) const fn point(_name: &str) {}

#[cfg(feature = "__crash-points")]
mod active {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    };

    /// Which point, and how many times it is still passed, the last time included.
    static WANTED: LazyLock<Option<(String, AtomicU64)>> = LazyLock::new(|| {
        let text = std::env::var("METAIA_CRASH").ok()?;
        let (name, nth) = text.split_once(':').unwrap_or((&text, "1"));
        Some((name.to_owned(), AtomicU64::new(nth.parse().ok()?)))
    });

    /// Aborts the process when this is the wanted point and the wanted time.
    #[allow(dead_code, reason = "most points belong to a feature of their own")]
    pub(crate) fn point(name: &str) {
        if let Some((wanted, left)) = &*WANTED
            && wanted == name
            && left.fetch_sub(1, Relaxed) == 1
        {
            std::process::abort();
        }
    }
}
