//! Entries of a log.

use std::sync::OnceLock;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{kind::EntryKind, new_entry::NewEntry};
use crate::{
    Position,
    event::stamp,
    values::{Epoch, Moment, SharedMoment},
};

/// An entry of the log. The first session that needs its encoding makes it, and all sessions share
/// it.
#[derive(Debug)]
pub struct Entry {
    epoch: Epoch,
    n: u64,
    ts: i64,
    new: NewEntry,
    stamped: OnceLock<Box<RawValue>>,
    frame: OnceLock<Bytes>,
    /// The commit on the clock of this process, once it is known.
    committed: SharedMoment,
}

impl Entry {
    /// Returns the entry with number `n`, committed at `ts` (in ms since the Unix epoch).
    #[must_use]
    pub const fn new(epoch: Epoch, n: u64, ts: i64, new: NewEntry) -> Self {
        Self {
            epoch,
            n,
            ts,
            new,
            stamped: OnceLock::new(),
            frame: OnceLock::new(),
            committed: SharedMoment::none(),
        }
    }

    /// Returns the entry under another id. For [planted faults](crate::planted_faults) only.
    pub(crate) fn renamed(&self) -> Self {
        Self::new(self.epoch, self.n, self.ts, self.new.renamed())
    }

    /// Returns the entry's number in the order of the log.
    #[must_use]
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// Returns the time of the commit, in ms since the Unix epoch.
    #[must_use]
    pub const fn ts(&self) -> i64 {
        self.ts
    }

    /// Returns the position after the entry.
    #[must_use]
    pub fn position(&self) -> Position {
        Position::new(self.epoch, self.n, self.new.id())
    }

    /// Returns the entry as it was appended.
    #[must_use]
    pub const fn content(&self) -> &NewEntry {
        &self.new
    }

    /// Records when the entry was committed. The first moment counts.
    pub(crate) fn record_commit(&self, at: Moment) {
        self.committed.set_first(at);
    }

    /// Returns when the entry was committed, if that is known.
    pub(crate) fn committed(&self) -> Option<Moment> {
        self.committed.get()
    }

    /// Returns for whom the entry is.
    pub(crate) const fn kind(&self) -> &EntryKind {
        self.new.kind()
    }

    /// Returns whether this is an event for clients and not an instruction to nodes.
    pub(crate) const fn is_event(&self) -> bool {
        matches!(self.kind(), EntryKind::Event)
    }

    /// Returns the payload as clients receive it.
    pub(crate) fn stamped(&self) -> &RawValue {
        self.stamped.get_or_init(|| {
            let mut text = String::new();
            self.write_stamped(&mut text);
            RawValue::from_string(text).unwrap_or_default()
        })
    }

    /// Appends the payload as clients receive it to `text`.
    pub(crate) fn write_stamped(&self, text: &mut String) {
        let id = self.new.id();
        stamp(text, self.new.payload(), id, self.position(), self.ts);
    }

    /// Returns the bytes that a transport writes for the entry. The first call makes them by
    /// `encode`; all sessions share them.
    pub(crate) fn frame(&self, encode: impl FnOnce() -> Bytes) -> Bytes {
        self.frame.get_or_init(encode).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Room;
    use serde_json::json;

    #[test]
    fn the_size_is_never_less_than_what_goes_on_the_wire() {
        let new = NewEntry::event([Room::Everyone], ("n", json!({ "a": "ä\n" }))).unwrap();
        let size = new.size();
        let entry = Entry::new(Epoch::from_bits(u64::MAX), (1 << 53) - 1, i64::MAX, new);
        assert!(size >= format!(r#"42["n",{}]"#, entry.stamped()).len());
    }
}
