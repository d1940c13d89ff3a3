//! Rows as entries, and the detection of damage. A pure kernel.

use std::sync::Arc;

use crate::{log::Entry, mongo::row::Row, values::Epoch};

/// Entries, and the damage that was found among them.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) entries: Vec<Arc<Entry>>,
    /// The last number at which a row is missing or cannot be read.
    pub(super) damaged: Option<u64>,
}

/// Decodes consecutive rows, of which the first is expected to have the number after `from`. A
/// missing number is damage, too. If there is damage, only the entries after it are returned.
pub(super) fn consecutive_entries(rows: Vec<Row>, epoch: Epoch, from: u64) -> Decoded {
    let mut entries = Vec::with_capacity(rows.len());
    let mut damaged = None;
    let mut last = from;
    for row in rows {
        let expected = last + 1;
        let n = row.identity().map_or(expected, |(n, _)| n);
        if n != expected {
            damaged = Some(n - 1);
        }
        match row.into_entry(epoch) {
            Ok(entry) => entries.push(entry),
            Err(_) => damaged = Some(n),
        }
        last = n;
    }
    // Everything up to the damage counts as trimmed.
    if let Some(upto) = damaged {
        entries.retain(|entry: &Arc<Entry>| entry.n() > upto);
    }
    Decoded { entries, damaged }
}

/// Decodes rows of some rooms, between which numbers may be missing.
pub(super) fn readable_entries(rows: Vec<Row>, epoch: Epoch) -> Decoded {
    let mut entries = Vec::with_capacity(rows.len());
    let mut damaged = None;
    for row in rows {
        let n = row.n.cast_unsigned();
        match row.into_entry(epoch) {
            Ok(entry) => entries.push(entry),
            Err(_) => damaged = Some(n),
        }
    }
    Decoded { entries, damaged }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NewEntry;
    use serde_json::json;

    fn row(n: u64) -> Row {
        let new = NewEntry::event([], ("e", json!({}))).unwrap();
        Row::from_entry(&Entry::new(Epoch::from_bits(7), n, 0, new))
    }

    #[track_caller]
    fn check(numbers: &[u64], from: u64, expected: &[u64], damaged: Option<u64>) {
        let rows = numbers.iter().map(|n| row(*n)).collect();
        let decoded = consecutive_entries(rows, Epoch::from_bits(7), from);
        let found: Vec<u64> = decoded.entries.iter().map(|entry| entry.n()).collect();
        assert_eq!(found, expected);
        assert_eq!(decoded.damaged, damaged);
    }

    #[test]
    fn consecutive_rows_are_entries() {
        check(&[], 4, &[], None);
        check(&[5, 6, 7], 4, &[5, 6, 7], None);
    }

    #[test]
    fn entries_before_a_missing_one_are_left_out() {
        check(&[6, 7], 4, &[6, 7], Some(5));
        check(&[5, 6, 9, 10], 4, &[9, 10], Some(8));
    }

    #[test]
    fn between_the_entries_of_rooms_numbers_may_be_missing() {
        let rows = vec![row(5), row(9)];
        let decoded = readable_entries(rows, Epoch::from_bits(7));
        assert_eq!(decoded.entries.len(), 2);
        assert_eq!(decoded.damaged, None);
    }
}
