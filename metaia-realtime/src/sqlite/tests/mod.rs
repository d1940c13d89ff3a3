//! Behaviour of the writer and its readers, on real files.

mod failures;
mod obstacles;
mod opening;
mod writes;

use std::{path::PathBuf, sync::mpsc};

use rusqlite::{Connection, Error, Savepoint};

use super::{Durability, Migration, OpenError, ReadError, SqliteOptions, WriteError, Writer};

const NOTES: Migration = Migration {
    name: "notes",
    sql: "CREATE TABLE notes (n INTEGER PRIMARY KEY) STRICT",
};
const ONE: &[Migration] = &[NOTES];
const TWO: &[Migration] = &[
    NOTES,
    Migration {
        name: "more",
        sql: "CREATE TABLE more (n INTEGER) STRICT",
    },
];
const BROKEN: &[Migration] = &[
    NOTES,
    Migration {
        name: "typo",
        sql: "CREATE TABLE a (n); CREATE TABEL b",
    },
];

/// A folder that is removed at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("metaia-sqlite-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn database(&self) -> PathBuf {
        self.0.join("test.db")
    }

    async fn open(&self, migrations: &'static [Migration]) -> Result<Writer, OpenError> {
        Writer::open(self.database(), SqliteOptions::default(), migrations).await
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn insert(n: i64) -> impl FnOnce(&Savepoint<'_>) -> Result<i64, Error> + Send + 'static {
    move |tx| tx.execute("INSERT INTO notes VALUES (?1)", [n]).map(|_| n)
}

fn notes(db: &Connection) -> Result<Vec<i64>, Error> {
    db.prepare("SELECT n FROM notes ORDER BY n")?
        .query_map([], |row| row.get(0))?
        .collect()
}

async fn kept(writer: &Writer) -> Vec<i64> {
    writer.readers(1).read(notes).await.unwrap()
}

/// Holds the thread inside a write of its own until the sender is dropped: the writes that are
/// queued meanwhile form one group.
async fn hold(
    writer: &Writer,
) -> (
    mpsc::Sender<()>,
    impl Future<Output = Result<(), WriteError<Error>>>,
) {
    let (release, held) = mpsc::channel::<()>();
    let (begun, begins) = mpsc::channel::<()>();
    let writer = writer.clone();
    let work = move |_: &Savepoint<'_>| {
        begun.send(()).unwrap();
        let _ = held.recv();
        Ok(())
    };
    let mut write = Box::pin(async move { writer.write(work).await });
    assert!(futures_util::poll!(&mut write).is_pending());
    begins.recv().unwrap();
    (release, write)
}
