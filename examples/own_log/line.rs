//! The lines of the log's file.

use metaia_realtime::{NewEntry, log::DamagedEntry, values::EventId};
use serde::{Deserialize, Serialize};

/// A line of the file.
#[derive(Serialize, Deserialize)]
pub(crate) enum Line {
    /// The first line: the bits of the log's epoch.
    Epoch(u64),
    /// An append. It is one line, so that it is there as a whole or not at all.
    Append(Vec<Row>),
    /// The number of the newest entry that was trimmed. This simple file keeps the lines of trimmed
    /// entries.
    Trimmed(u64),
}

/// An entry as it is stored: the text of its parts, and the time of the commit.
#[derive(Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: EventId,
    rooms: Vec<String>,
    name: String,
    payload: String,
    pub(crate) ts: i64,
}

impl Row {
    pub(crate) fn new(entry: &NewEntry) -> Self {
        Self {
            id: entry.id(),
            rooms: entry.rooms().iter().map(ToString::to_string).collect(),
            name: entry.name().to_owned(),
            payload: entry.payload().as_str().to_owned(),
            ts: now(),
        }
    }

    /// Makes the entry again, whatever it is: an event, or a control entry of this or of a newer
    /// version.
    ///
    /// # Errors
    /// Returns an error if the row is not one that was appended.
    pub(crate) fn entry(self) -> Result<NewEntry, DamagedEntry> {
        NewEntry::stored(self.id, self.rooms, &self.name, self.payload)
    }
}

/// Returns the time in Unix milliseconds.
#[allow(
    clippy::disallowed_methods,
    reason = "the only place where this program reads the clock"
)]
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
