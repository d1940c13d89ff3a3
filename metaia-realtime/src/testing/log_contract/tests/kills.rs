//! Killed processes with a naive log in a file, sound and with planted defects.

use std::{
    env, fs,
    io::Write as _,
    marker::PhantomData,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::{disk::Disk, flaw::Flaw, flawed::Flawed};
use crate::{
    EventLog, NewEntry, Position, Room,
    log::{Head, History, LogError, Page, Retention},
    testing::log_contract::{KillableSubject, Subject, killed},
    values::{Epoch, EventId},
};

/// A planted defect of the file. The names say what the log does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    WritesLater,
    WritesOneByOne,
    BeginsAnEpoch,
}

trait Plan: Send + Sync + 'static {
    const FAULT: Fault;
}

/// A file, which is removed by the process that created it.
struct InFile<P> {
    path: PathBuf,
    is_ours: bool,
    plan: PhantomData<P>,
}

impl<P> Drop for InFile<P> {
    fn drop(&mut self) {
        if self.is_ours {
            fs::remove_file(&self.path).ok();
        }
    }
}

impl<P: Plan> Subject for InFile<P> {
    type Log = FileLog;
    const DURABLE: bool = true;

    fn new() -> Self {
        let path = env::temp_dir().join(format!("log-contract-{}", EventId::random()));
        Self {
            path,
            is_ours: true,
            plan: PhantomData,
        }
    }

    async fn open(&self, _retention: Retention) -> FileLog {
        FileLog::open(&self.path, P::FAULT).await
    }

    async fn trim(&self, _log: &FileLog) {}
}

impl<P: Plan> KillableSubject for InFile<P> {
    fn address(&self) -> String {
        self.path.to_str().unwrap().to_owned()
    }

    fn at(address: &str) -> Self {
        Self {
            path: address.into(),
            is_ours: false,
            plan: PhantomData,
        }
    }
}

/// A log in a file: the first line is the epoch, then a line per append. A line without an end was
/// never acknowledged, and is cut off.
struct FileLog {
    memory: Flawed,
    fault: Fault,
    /// The file, and the lines that are written later.
    file: tokio::sync::Mutex<(fs::File, Vec<String>)>,
}

impl FileLog {
    async fn open(path: &PathBuf, fault: Fault) -> Self {
        let mut file = fs::OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(path)
            .unwrap();
        let text = fs::read_to_string(path).unwrap();
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64).unwrap();
        let mut lines = text[..whole].lines();
        let kept = lines.next().filter(|_| fault != Fault::BeginsAnEpoch);
        let mut disk = Disk::new();
        match kept {
            Some(bits) => disk.start(Epoch::from_bits(bits.parse().unwrap())),
            None => writeln!(file, "{}", disk.epoch.to_bits()).unwrap(),
        }
        let memory = Flawed::open(Flaw::None, &Arc::new(Mutex::new(disk)), Retention::DISK);
        for line in lines.filter(|line| line.starts_with('[')) {
            let entries: Vec<Value> = serde_json::from_str(line).unwrap();
            memory
                .append(entries.iter().map(read).collect())
                .await
                .unwrap();
        }
        Self {
            memory,
            fault,
            file: tokio::sync::Mutex::new((file, Vec::new())),
        }
    }

    fn write(&self, file: &mut fs::File, later: &mut Vec<String>, entries: &[Value]) {
        match self.fault {
            Fault::WritesLater => {
                later.push(format!("{}\n", json!(entries)));
                if later.len() > 3 {
                    file.write_all(later.drain(..).collect::<String>().as_bytes())
                        .unwrap();
                }
            }
            Fault::WritesOneByOne => {
                for entry in entries {
                    writeln!(file, "{}", json!([entry])).unwrap();
                    std::thread::yield_now();
                }
            }
            _ => file
                .write_all(format!("{}\n", json!(entries)).as_bytes())
                .unwrap(),
        }
    }
}

fn written(new: &NewEntry) -> Value {
    json!([new.id(), new.rooms(), new.name(), new.payload().as_str()])
}

fn read(entry: &Value) -> NewEntry {
    let id = text(&entry[0]).parse().unwrap();
    let rooms = entry[1].as_array().unwrap().iter().map(text);
    NewEntry::stored(id, rooms, text(&entry[2]), text(&entry[3]).to_owned()).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

impl EventLog for FileLog {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<Position>, LogError> {
        let mut file = self.file.lock().await;
        let (file, later) = &mut *file;
        let mut unknown = Vec::new();
        for new in &entries {
            if !self.memory.knows(new.id()) {
                unknown.push(written(new));
            }
        }
        self.write(file, later, &unknown);
        self.memory.append(entries).await
    }

    async fn head(&self) -> Result<Head, LogError> {
        self.memory.head().await
    }

    async fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> Result<Page, LogError> {
        self.memory.read(rooms, after, limit).await
    }

    async fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Result<History, LogError> {
        self.memory.history(n, rooms, limit).await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.memory.changes()
    }
}

/// Makes a test for each fault: the number of kills, and the expected panic.
macro_rules! kill {
    ($($(#[$expected:meta])? $name:ident: $kills:literal over $fault:ident,)+) => {$(
        #[test]
        $(#[$expected])?
        fn $name() {
            struct Here;
            impl Plan for Here {
                const FAULT: Fault = Fault::$fault;
            }
            killed::<InFile<Here>>(concat!(module_path!(), "::", stringify!($name)), $kills);
        }
    )+};
}

kill! {
    a_sound_log_survives: 10 over None,
    // An acknowledged entry is gone, or another entry is in its place.
    #[should_panic(expected = "entry ")]
    a_log_that_writes_later_is_caught: 20 over WritesLater,
    #[should_panic(expected = "a batch is there in part")]
    a_log_that_writes_one_by_one_is_caught: 60 over WritesOneByOne,
    #[should_panic(expected = "the epoch: ")]
    a_log_that_begins_an_epoch_is_caught: 5 over BeginsAnEpoch,
}
