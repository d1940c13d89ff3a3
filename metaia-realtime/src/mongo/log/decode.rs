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
