//! Numbers as columns hold them: SQLite has signed integers only.

/// Converts to the nearest number that a column can hold. No entry has a number beyond 2⁵³, so only
/// bounds and limits are ever changed by this.
pub(super) fn integer(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
