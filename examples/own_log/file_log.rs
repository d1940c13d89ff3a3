//! The log: a file with a line of JSON for each append, and what is in it.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use metaia_realtime::{
    EventLog, NewEntry, Position, Room,
    log::{DamagedEntry, Entry, Head, History, LogError, Page, Retention},
    values::{Epoch, EventId},
};
use tokio::sync::watch;

use super::line::{Line, Row, now};

/// A log in a file. It outlives its process, and so does its epoch: after a restart, clients
/// continue from their positions.
///
/// Each append is written before it returns, so that a killed process loses none. The file is not
/// synced: a power cut may lose the last ones, and a log that promises more has to call
/// [`File::sync_data`].
pub(crate) struct FileLog {
    retention: Retention,
    contents: Mutex<Contents>,
    /// The number of the newest entry.
    head: watch::Sender<u64>,
}

/// The file, and in memory all that it has and that was not trimmed.
struct Contents {
    file: File,
    /// The size of the file in bytes.
    size: u64,
    /// The position of the newest entry.
    last: Position,
    /// The entries up to `last`, without gaps in their numbers.
    entries: Vec<Arc<Entry>>,
    /// The position of each of them.
    positions: HashMap<EventId, Position>,
    /// For each room, the number of the newest entry that was trimmed.
    trimmed: HashMap<Room, u64>,
}

impl FileLog {
    /// Opens the log in the file at `path`, or creates it.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or written, or has a line that no log wrote.
    pub(crate) fn open(path: &Path, retention: Retention) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        let bytes = fs::read(path)?;
        // A line without an end is of an append that never returned.
        let size = bytes.iter().rposition(|byte| *byte == b'\n');
        let size = size.map_or(0, |end| end + 1);
        file.set_len(size as u64)?;
        let contents = Contents::read(file, &bytes[..size])?;
        let head = watch::Sender::new(contents.last.n());
        Ok(Self {
            retention,
            contents: Mutex::new(contents),
            head,
        })
    }

    /// Removes the oldest entries until all limits are met. The newest entry always stays.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written.
    pub(crate) fn trim(&self) -> Result<(), LogError> {
        self.contents().trim(self.retention)
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventLog for FileLog {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<Position>, LogError> {
        // One lock for the whole append: no reader sees a part of it, and the numbers that `head`
        // publishes never decrease.
        let mut contents = self.contents();
        let positions = contents.append(&entries)?;
        self.head.send_replace(contents.last.n());
        drop(contents);
        // The entries are stored. What cannot be trimmed now is trimmed with the next append.
        self.trim().ok();
        Ok(positions)
    }

    async fn head(&self) -> Result<Head, LogError> {
        let contents = self.contents();
        Ok(Head {
            position: contents.last,
            floor: contents.floor(),
        })
    }

    async fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> Result<Page, LogError> {
        let contents = self.contents();
        let matching = contents.matching(rooms, after);
        let entries: Vec<_> = matching.take(limit).cloned().collect();
        // A full page was scanned up to its last entry, any other page up to the end of the log.
        let last = entries.last().map_or(after, |entry| entry.n());
        let scanned = if entries.len() == limit {
            last
        } else {
            after.max(contents.last.n())
        };
        Ok(Page {
            epoch: contents.last.epoch(),
            entries,
            scanned,
            trimmed: contents.trimmed(rooms),
        })
    }

    async fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Result<History, LogError> {
        let contents = self.contents();
        let entry = contents.entries.binary_search_by_key(&n, |entry| entry.n());
        let id_at = |index: usize| contents.entries[index].content().id();
        Ok(History {
            head: contents.last,
            entry: entry.ok().map(id_at),
            trimmed: contents.trimmed(Some(rooms)),
            missed: contents.matching(Some(rooms), n).take(limit).count(),
        })
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }
}

/// Changes.
impl Contents {
    /// Reads the lines of the file. An empty file begins a new epoch.
    fn read(file: File, lines: &[u8]) -> io::Result<Self> {
        let mut contents = Self {
            file,
            size: lines.len() as u64,
            last: Position::start(Epoch::random()),
            entries: Vec::new(),
            positions: HashMap::new(),
            trimmed: HashMap::new(),
        };
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let line = serde_json::from_slice(line)?;
            contents.apply(line).map_err(io::Error::other)?;
        }
        if lines.is_empty() {
            let epoch = Line::Epoch(contents.last.epoch().to_bits());
            contents.write(&epoch).map_err(io::Error::other)?;
        }
        Ok(contents)
    }

    /// Applies a line of the file. So what is delivered is what was stored.
    fn apply(&mut self, line: Line) -> Result<(), DamagedEntry> {
        match line {
            Line::Epoch(bits) => self.last = Position::start(Epoch::from_bits(bits)),
            Line::Append(rows) => {
                for row in rows {
                    self.push(row)?;
                }
            }
            Line::Trimmed(upto) => self.remove(upto),
        }
        Ok(())
    }

    fn push(&mut self, row: Row) -> Result<(), DamagedEntry> {
        let ts = row.ts;
        let id = row.id;
        let entry = Entry::new(self.last.epoch(), self.last.n() + 1, ts, row.entry()?);
        self.last = entry.position();
        self.positions.insert(id, self.last);
        self.entries.push(Arc::new(entry));
        Ok(())
    }

    /// Removes the entries up to `upto`, and marks their rooms.
    fn remove(&mut self, upto: u64) {
        let kept = self.entries.partition_point(|entry| entry.n() <= upto);
        for removed in self.entries.drain(..kept) {
            self.positions.remove(&removed.content().id());
            for room in removed.content().rooms() {
                self.trimmed.insert(room.clone(), removed.n());
            }
        }
    }

    /// Appends a line to the file.
    fn write(&mut self, line: &Line) -> Result<(), LogError> {
        let mut bytes =
            serde_json::to_vec(line).map_err(|error| LogError::Unavailable(error.into()))?;
        bytes.push(b'\n');
        if let Err(error) = self.file.write_all(&bytes) {
            // A part of the line may be in the file, and must not be before the next line.
            self.file
                .set_len(self.size)
                .map_err(|error| LogError::Unknown(error.into()))?;
            return Err(LogError::Unavailable(error.into()));
        }
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Appends the entries that the log does not have, and returns the positions of all. A retry of
    /// an append must not duplicate entries: an entry whose id is known keeps its position.
    fn append(&mut self, entries: &[NewEntry]) -> Result<Vec<Position>, LogError> {
        let mut rows: Vec<Row> = Vec::new();
        let mut ids = HashSet::new();
        for entry in entries {
            let is_known = self.positions.contains_key(&entry.id());
            if !is_known && ids.insert(entry.id()) {
                rows.push(Row::new(entry));
            }
        }
        if !rows.is_empty() {
            let line = Line::Append(rows);
            self.write(&line)?;
            self.apply(line)
                .map_err(|damage| LogError::Unknown(damage.into()))?;
        }
        let positions = entries.iter().map(|entry| self.positions.get(&entry.id()));
        Ok(positions.flatten().copied().collect())
    }

    fn trim(&mut self, keep: Retention) -> Result<(), LogError> {
        let upto = self.last_beyond(keep);
        if upto > self.floor() {
            self.write(&Line::Trimmed(upto))?;
            self.remove(upto);
        }
        Ok(())
    }
}

/// Queries.
impl Contents {
    /// Returns the number of the newest entry that is beyond a limit; the floor if none is.
    fn last_beyond(&self, keep: Retention) -> u64 {
        let size = |entry: &Entry| entry.content().size() as u64;
        let mut bytes: u64 = self.entries.iter().map(|entry| size(entry)).sum();
        let mut count = self.entries.len();
        let oldest = now() - i64::try_from(keep.age.as_millis()).unwrap_or(i64::MAX);
        let mut upto = self.floor();
        for entry in &self.entries {
            let fits = count <= keep.entries && bytes <= keep.bytes && entry.ts() > oldest;
            if fits || count == 1 {
                break;
            }
            bytes -= size(entry);
            count -= 1;
            upto = entry.n();
        }
        upto
    }

    /// Returns the entries after `after` in any of the rooms; `None` means all rooms.
    fn matching<'a>(
        &'a self,
        rooms: Option<&'a [Room]>,
        after: u64,
    ) -> impl Iterator<Item = &'a Arc<Entry>> {
        let is_wanted = move |entry: &&Arc<Entry>| {
            let mut published = entry.content().rooms().iter();
            rooms.is_none_or(|rooms| published.any(|room| rooms.contains(room)))
        };
        let begin = self.entries.partition_point(|entry| entry.n() <= after);
        self.entries[begin..].iter().filter(is_wanted)
    }

    /// Returns the number of the newest trimmed entry of these rooms, or 0.
    fn trimmed(&self, rooms: Option<&[Room]>) -> u64 {
        let Some(rooms) = rooms else {
            return self.floor();
        };
        let marks = rooms.iter().filter_map(|room| self.trimmed.get(room));
        marks.max().copied().unwrap_or(0)
    }

    /// Returns the number of the newest trimmed entry, or 0.
    fn floor(&self) -> u64 {
        self.entries.first().map_or(0, |oldest| oldest.n() - 1)
    }
}
