//! Behaviour of the writer and its readers, on real files.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, mpsc},
};

use futures_util::future::join_all;
use rusqlite::{Connection, Error, Savepoint};

use super::{Durability, Migration, OpenError, Options, ReadError, WriteError, Writer};

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
        Writer::open(self.database(), Options::default(), migrations).await
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

/// Holds the thread inside a write of its own until the sender is dropped: what is queued meanwhile
/// is one group.
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

#[tokio::test]
async fn what_waits_together_is_committed_together() {
    let folder = Folder::new();
    let writer = folder.open(ONE).await.unwrap();
    let (release, first) = hold(&writer).await;
    let others = join_all((0..100).map(|n| writer.write(insert(n))));
    // All futures are polled, and so queued, in order, before the thread may go on.
    let go = async move { drop(release) };
    let (first, answers, ()) = futures_util::join!(first, others, go);
    first.unwrap();
    assert!(answers.into_iter().all(|answer| answer.is_ok()));
    assert_eq!(writer.commits(), 2);
    assert_eq!(kept(&writer).await.len(), 100);
}

#[tokio::test]
async fn a_refused_or_panicking_write_does_not_hurt_its_neighbours() {
    let folder = Folder::new();
    let writer = folder.open(ONE).await.unwrap();
    let (release, first) = hold(&writer).await;
    let refused = writer.write(|tx| {
        insert(2)(tx)?;
        Err::<(), _>(Error::InvalidQuery)
    });
    let panicking = writer.write(|tx| {
        insert(3)(tx)?;
        std::panic::resume_unwind(Box::new("this write panics"));
        #[allow(unreachable_code, reason = "it gives the closure its type")]
        Ok::<i64, Error>(3)
    });
    let go = async move { drop(release) };
    let (_, good, refused, panicking, last, ()) = futures_util::join!(
        first,
        writer.write(insert(1)),
        refused,
        panicking,
        writer.write(insert(4)),
        go
    );
    assert_eq!((good.unwrap(), last.unwrap()), (1, 4));
    assert!(
        matches!(refused, Err(WriteError::Refused(Error::InvalidQuery))),
        "{refused:?}"
    );
    assert!(
        matches!(panicking, Err(WriteError::Panicked)),
        "{panicking:?}"
    );
    assert_eq!(kept(&writer).await, [1, 4]);
}

#[tokio::test]
async fn a_failing_commit_answers_all_and_keeps_nothing() {
    const LINKED: &[Migration] = &[Migration {
        name: "linked",
        sql: "CREATE TABLE notes (n INTEGER PRIMARY KEY) STRICT;
              CREATE TABLE links (n INTEGER REFERENCES notes DEFERRABLE INITIALLY DEFERRED) STRICT",
    }];
    let folder = Folder::new();
    let writer = folder.open(LINKED).await.unwrap();
    let (release, first) = hold(&writer).await;
    let breaking = writer.write(|tx| tx.execute("INSERT INTO links VALUES (9)", []));
    let ran = Arc::new(Mutex::new(false));
    let after = {
        let ran = Arc::clone(&ran);
        move |_: &i64| *ran.lock().unwrap() = true
    };
    let neighbour = writer.write_then(insert(1), after);
    let go = async move { drop(release) };
    let (_, breaking, neighbour, ()) = futures_util::join!(first, breaking, neighbour, go);
    assert!(
        matches!(breaking, Err(WriteError::Unavailable(_))),
        "{breaking:?}"
    );
    assert!(
        matches!(neighbour, Err(WriteError::Unavailable(_))),
        "{neighbour:?}"
    );
    assert!(!*ran.lock().unwrap());
    assert_eq!(kept(&writer).await, [0_i64; 0]);
    assert_eq!(writer.write(insert(2)).await.unwrap(), 2);
}

#[tokio::test]
async fn a_transaction_that_sqlite_rolls_back_fails_those_before_and_not_those_behind() {
    let folder = Folder::new();
    let writer = folder.open(ONE).await.unwrap();
    let (release, first) = hold(&writer).await;
    let ending = writer.write(|tx| tx.execute_batch("ROLLBACK"));
    let go = async move { drop(release) };
    let (_, before, ending, behind, ()) = futures_util::join!(
        first,
        writer.write(insert(1)),
        ending,
        writer.write(insert(2)),
        go
    );
    assert!(
        matches!(before, Err(WriteError::Unavailable(_))),
        "{before:?}"
    );
    assert!(ending.is_err());
    assert_eq!(behind.unwrap(), 2);
    assert_eq!(kept(&writer).await, [2]);
}

#[tokio::test]
async fn what_follows_runs_in_commit_order_before_the_answer() {
    let folder = Folder::new();
    let writer = folder.open(ONE).await.unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let write = |n| {
        let order = Arc::clone(&order);
        writer.write_then(insert(n), move |n| order.lock().unwrap().push(*n))
    };
    join_all((0..50).map(write)).await;
    assert_eq!(*order.lock().unwrap(), (0..50).collect::<Vec<_>>());
    let panicking = writer.write_then(insert(50), |_| panic!("follow"));
    assert_eq!(panicking.await.unwrap(), 50);
    assert_eq!(write(51).await.unwrap(), 51);
}

#[tokio::test]
async fn a_write_is_done_even_when_nobody_waits_for_it() {
    let folder = Folder::new();
    let writer = folder.open(ONE).await.unwrap();
    let (release, first) = hold(&writer).await;
    let mut abandoned = Box::pin(writer.write(insert(7)));
    assert!(futures_util::poll!(&mut abandoned).is_pending());
    drop(abandoned);
    drop(release);
    first.await.unwrap();
    writer.write(insert(8)).await.unwrap();
    assert_eq!(kept(&writer).await, [7, 8]);
}

#[tokio::test]
async fn closing_does_what_is_queued_and_the_next_opening_has_it() {
    let folder = Folder::new();
    let writer = folder.open(ONE).await.unwrap();
    let (writes, ()) = futures_util::join!(
        join_all((0..20).map(|n| writer.write(insert(n)))),
        writer.close()
    );
    assert!(writes.into_iter().all(|write| write.is_ok()));
    assert!(matches!(
        writer.write(insert(99)).await,
        Err(WriteError::Closed)
    ));
    assert_eq!(
        std::fs::read_dir(&folder.0).unwrap().count(),
        2,
        "only the database and its lock file"
    );
    let writer = folder.open(TWO).await.unwrap();
    assert_eq!(kept(&writer).await.len(), 20);
}

#[tokio::test]
async fn readers_are_closed_and_cannot_write() {
    let folder = Folder::new();
    let writer = folder.open(ONE).await.unwrap();
    let readers = writer.readers(2);
    let wrote = readers
        .read(|db| db.execute("INSERT INTO notes VALUES (1)", []))
        .await;
    assert!(matches!(wrote, Err(ReadError::Refused(_))), "{wrote:?}");
    let panicked = readers
        .read(|_| -> Result<(), Error> { panic!("read") })
        .await;
    assert!(matches!(panicked, Err(ReadError::Panicked)), "{panicked:?}");
    assert_eq!(readers.read(notes).await.unwrap(), [0_i64; 0]);
    readers.close().await;
    assert!(matches!(readers.read(notes).await, Err(ReadError::Closed)));
}

#[tokio::test]
async fn a_second_opening_is_refused() {
    let folder = Folder::new();
    let writer = folder.open(ONE).await.unwrap();
    let second = folder.open(ONE).await.unwrap_err();
    assert!(matches!(second, OpenError::Locked { .. }), "{second:?}");
    writer.close().await;
    folder.open(ONE).await.unwrap();
}

#[tokio::test]
async fn a_newer_foreign_or_damaged_file_is_refused_and_left_alone() {
    let folder = Folder::new();
    folder.open(TWO).await.unwrap().close().await;
    let newer = folder.open(ONE).await.unwrap_err();
    assert!(
        matches!(
            newer,
            OpenError::Newer {
                found: 2,
                known: 1,
                ..
            }
        ),
        "{newer:?}"
    );

    let foreign = Folder::new();
    Connection::open(foreign.database())
        .unwrap()
        .execute_batch("CREATE TABLE theirs (n)")
        .unwrap();
    let refused = foreign.open(ONE).await.unwrap_err();
    assert!(
        matches!(refused, OpenError::Foreign { found: 0, .. }),
        "{refused:?}"
    );

    let damaged = Folder::new();
    let text = "not a database ".repeat(1_000);
    std::fs::write(damaged.database(), &text).unwrap();
    let refused = damaged.open(ONE).await.unwrap_err();
    assert!(matches!(refused, OpenError::Corrupt { .. }), "{refused:?}");
    assert_eq!(std::fs::read_to_string(damaged.database()).unwrap(), text);
}

#[tokio::test]
async fn damage_that_a_migration_meets_is_damage_and_said_in_one_line() {
    let folder = Folder::new();
    folder.open(ONE).await.unwrap().close().await;
    let mut file = std::fs::read(folder.database()).unwrap();
    // One free page, far beyond the end.
    file[32..40].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1]);
    std::fs::write(folder.database(), &file).unwrap();
    let refused = folder.open(TWO).await.unwrap_err();
    assert!(matches!(refused, OpenError::Corrupt { .. }), "{refused:?}");
    let said = std::error::Error::source(&refused).unwrap().to_string();
    assert!(!said.contains("CREATE"), "{said}");
}

#[tokio::test]
async fn a_path_that_cannot_be_is_an_error() {
    let folder = Folder::new();
    let missing = Writer::open(folder.0.join("no/such.db"), Options::default(), ONE)
        .await
        .unwrap_err();
    assert!(
        matches!(missing, OpenError::Unreadable { .. }),
        "{missing:?}"
    );
    let is_a_folder = Writer::open(&folder.0, Options::default(), ONE)
        .await
        .unwrap_err();
    assert!(
        matches!(is_a_folder, OpenError::Unreadable { .. }),
        "{is_a_folder:?}"
    );
}

#[tokio::test]
async fn a_failing_migration_is_rolled_back_and_named() {
    let folder = Folder::new();
    let failed = folder.open(BROKEN).await.unwrap_err();
    assert!(
        matches!(failed, OpenError::Migration { name: "typo", .. }),
        "{failed:?}"
    );
    let writer = folder.open(TWO).await.unwrap();
    assert_eq!(kept(&writer).await, [0_i64; 0]);
}

#[tokio::test]
async fn durability_is_what_was_asked_for() {
    for (durability, synchronous) in [(Durability::Full, 2), (Durability::Normal, 1)] {
        let folder = Folder::new();
        let options = Options::durability(durability);
        let writer = Writer::open(folder.database(), options, ONE).await.unwrap();
        let pragma = |tx: &Savepoint<'_>| {
            tx.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0))
        };
        assert_eq!(writer.write(pragma).await.unwrap(), synchronous);
    }
}

#[tokio::test]
async fn a_full_disk_hurts_only_what_does_not_fit() {
    let folder = Folder::new();
    let writer = folder.open(ONE).await.unwrap();
    let pages: i64 = writer
        .write(|tx| tx.pragma_query_value(None, "page_count", |row| row.get(0)))
        .await
        .unwrap();
    let limit = move |pages: i64| {
        move |tx: &Savepoint<'_>| {
            tx.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0))
        }
    };
    writer.write(limit(pages)).await.unwrap();
    let (release, first) = hold(&writer).await;
    let large =
        writer.write(|tx| tx.execute_batch("CREATE TABLE blobs AS SELECT zeroblob(100000) AS b"));
    let go = async move { drop(release) };
    let (_, large, small, ()) = futures_util::join!(first, large, writer.write(insert(1)), go);
    assert!(large.is_err());
    assert_eq!(small.unwrap(), 1);
    writer.write(limit(pages + 1_000)).await.unwrap();
    assert_eq!(writer.write(insert(2)).await.unwrap(), 2);
    assert_eq!(kept(&writer).await, [1, 2]);
}

#[tokio::test]
async fn a_full_queue_makes_writers_wait() {
    let folder = Folder::new();
    let options = Options {
        queue: 1,
        ..Options::default()
    };
    let writer = Writer::open(folder.database(), options, ONE).await.unwrap();
    let (release, first) = hold(&writer).await;
    let mut queued = Box::pin(writer.write(insert(1)));
    let mut waiting = Box::pin(writer.write(insert(2)));
    assert!(futures_util::poll!(&mut queued).is_pending());
    assert!(futures_util::poll!(&mut waiting).is_pending());
    drop(waiting);
    drop(release);
    first.await.unwrap();
    queued.await.unwrap();
    assert_eq!(
        kept(&writer).await,
        [1],
        "what never had a place was never written"
    );
}

/// Otherwise the write-ahead log would grow for ever, since SQLite was told to leave it alone.
#[tokio::test]
async fn the_write_ahead_log_is_moved_into_the_database_while_it_is_written() {
    let folder = Folder::new();
    let writer = folder.open(ONE).await.unwrap();
    let size = || folder.0.join("test.db-wal").metadata().unwrap().len();
    writer
        .write(|tx| tx.execute("CREATE TABLE large (bytes BLOB)", []))
        .await
        .unwrap();
    for _ in 0..20 {
        writer
            .write(|tx| tx.execute("INSERT INTO large VALUES (zeroblob(1000000))", []))
            .await
            .unwrap();
    }
    let whole = folder.database().metadata().unwrap().len();
    assert!(
        whole > size(),
        "{whole} bytes in the database, {} in the log",
        size()
    );
    assert!(size() < 6 * 1024 * 1024, "{}", size());
}
