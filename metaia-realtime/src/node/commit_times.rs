//! The time of the commit of entries that this node did not append itself, as well as it is known.

use std::sync::Arc;

use crate::{
    log::Entry,
    values::{Moment, time},
};

/// Records the commit of those entries whose log has not: by their own time, against this node's
/// clock. An entry whose time has yet to come counts as committed `now`.
pub(super) fn estimate(entries: &[Arc<Entry>], now: Moment) {
    estimate_at(entries, now, time::unix_ms);
}

/// Does so with the present time in ms since the Unix epoch, which most batches do not need.
fn estimate_at(entries: &[Arc<Entry>], now: Moment, wall: impl Fn() -> i64) {
    let mut read = None;
    for entry in entries.iter().filter(|entry| entry.committed().is_none()) {
        let wall = *read.get_or_insert_with(&wall);
        let age_ms = u64::try_from(wall.saturating_sub(entry.ts())).unwrap_or(0);
        entry.record_commit(now.micros_before(age_ms.saturating_mul(1_000)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewEntry, values::Epoch};
    use serde_json::json;

    fn entry(ts: i64) -> Arc<Entry> {
        let new = NewEntry::event([], ("e", json!({}))).unwrap();
        Arc::new(Entry::new(Epoch::from_bits(1), 1, ts, new))
    }

    /// Returns the age of an entry with the time `ts` at 1,000 ms, in µs.
    fn age(ts: i64) -> u64 {
        let now = Moment::now();
        let entry = entry(ts);
        estimate_at(&[Arc::clone(&entry)], now, || 1_000);
        now.micros_since(entry.committed().unwrap())
    }

    #[test]
    fn an_entry_of_another_node_is_as_old_as_its_time_says_and_never_younger_than_now() {
        for (ts, micros) in [(995, 5_000), (1_000, 0), (1_001, 0), (i64::MAX, 0)] {
            assert_eq!(age(ts), micros, "{ts}");
        }
    }

    #[test]
    fn a_commit_that_is_known_is_not_estimated() {
        let entry = entry(0);
        let committed = Moment::now();
        entry.record_commit(committed);
        estimate_at(&[Arc::clone(&entry)], Moment::now(), || {
            unreachable!("read for nothing")
        });
        assert_eq!(entry.committed(), Some(committed));
    }
}
