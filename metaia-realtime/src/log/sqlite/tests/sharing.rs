//! A database that has other tables too.

use super::*;
use crate::{
    log::sqlite::{AppendError, Appended},
    sqlite::{Migration, WriteError, Writer},
    values::Moment,
};

const MIGRATIONS: &[Migration] = &[Migration {
    name: "orders",
    sql: "CREATE TABLE orders (id INTEGER PRIMARY KEY) STRICT",
}];

async fn shared(folder: &Folder) -> (Writer, SqliteLog) {
    let writer = Writer::open(folder.database(), SqliteOptions::default(), MIGRATIONS)
        .await
        .unwrap();
    let log = SqliteLog::on(&writer, Retention::DISK).await.unwrap();
    (writer, log)
}

/// Writes an order and its events in one transaction, which fails if `fail` is set.
async fn place(
    writer: &Writer,
    log: &SqliteLog,
    events: Vec<NewEntry>,
    fail: bool,
) -> Result<Appended, WriteError<AppendError>> {
    let inside = log.clone();
    let after = log.clone();
    let work = move |tx: &rusqlite::Savepoint<'_>| {
        tx.execute("INSERT INTO orders DEFAULT VALUES", [])?;
        let appended = inside.append_in(tx, &events)?;
        if fail {
            Err(AppendError::Damaged)
        } else {
            Ok(appended)
        }
    };
    writer
        .write_then(work, move |appended| after.committed(appended))
        .await
}

fn orders(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("SELECT count(*) FROM orders", [], |row| row.get(0))
}

#[tokio::test]
async fn a_position_is_known_inside_the_transaction() {
    let folder = Folder::new();
    let (writer, log) = shared(&folder).await;
    let appended = place(&writer, &log, entries(3), false).await.unwrap();
    let page = log.all().await;
    assert!(
        page.entries
            .iter()
            .map(|entry| entry.position())
            .eq(appended.positions().iter().copied())
    );
    assert_eq!(log.head().await.unwrap().position, appended.positions()[2]);
    assert_eq!(log.reads(), 0);
}

#[tokio::test]
async fn a_transaction_that_is_rolled_back_leaves_nothing() {
    let folder = Folder::new();
    let (writer, log) = shared(&folder).await;
    assert!(place(&writer, &log, entries(1), false).await.is_ok());
    let event = entry([1]);
    assert!(
        place(&writer, &log, vec![event.clone()], true)
            .await
            .is_err()
    );
    assert_eq!(log.all().await.entries.len(), 1);
    log.forget_recent();
    assert_eq!(log.all().await.entries.len(), 1);
    assert_eq!(writer.readers(1).read(orders).await.unwrap(), 1);
    let appended = place(&writer, &log, vec![event], false).await.unwrap();
    assert_eq!(appended.positions()[0].n(), 2);
}

#[tokio::test]
async fn transactions_and_appends_at_once_are_one_order() {
    let folder = Folder::new();
    let (writer, log) = shared(&folder).await;
    let placed = (0..40).map(|i| place(&writer, &log, entries(2), i % 4 == 0));
    let appended = (0..40).map(|_| log.append(entries(1)));
    let (placed, appended) = futures_util::join!(
        futures_util::future::join_all(placed),
        futures_util::future::join_all(appended)
    );
    assert!(appended.into_iter().all(|appended| appended.is_ok()));
    assert_eq!(placed.into_iter().filter(Result::is_ok).count(), 30);
    let all: Vec<u64> = (1..=100).collect();
    assert_eq!(numbers(&log.all().await), all);
    assert_eq!(log.reads(), 0);
}

/// With a connection that is not the writer's, the log finds the entries by `wake`.
#[tokio::test]
async fn what_another_connection_commits_is_found() {
    let folder = Folder::new();
    let (_writer, log) = shared(&folder).await;
    let mut changes = log.changes();
    let mut other = Connection::open(folder.database()).unwrap();
    let mut place = |count: usize| {
        let tx = other.transaction().unwrap();
        let appended = log.append_in(&tx, &entries(count)).unwrap();
        tx.commit().unwrap();
        appended
    };
    let appended = place(2);
    assert_eq!(log.head().await.unwrap().position.n(), 0);
    log.wake();
    changes.changed().await.unwrap();
    assert_eq!(*changes.borrow_and_update(), 2);
    assert_eq!(log.head().await.unwrap().position, appended.positions()[1]);
    // The log itself appends before a `wake`: the entries between are read from the database.
    let _ = place(3);
    assert_eq!(log.append(entries(1)).await.unwrap()[0].n(), 6);
    assert_eq!(*changes.borrow_and_update(), 6);
    assert_eq!(numbers(&log.read(None, 2, 10).await.unwrap()), [3, 4, 5, 6]);
    assert_eq!(
        numbers(&log.read(Some(&rooms([0, 1, 2])), 1, 10).await.unwrap()),
        [2, 3, 4, 5, 6]
    );
    // With nothing new, a wake changes nothing: the next change is the next append.
    log.wake();
    log.append(entries(1)).await.unwrap();
    changes.changed().await.unwrap();
    assert_eq!(*changes.borrow_and_update(), 7);
}

#[tokio::test]
async fn the_log_takes_no_part_in_the_migrations() {
    let folder = Folder::new();
    let (writer, log) = shared(&folder).await;
    log.append(entries(3)).await.unwrap();
    log.close().await;
    writer.close().await;
    let (writer, log) = shared(&folder).await;
    assert_eq!(log.all().await.entries.len(), 3);
    let version =
        |db: &Connection| db.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    assert_eq!(writer.readers(1).read(version).await.unwrap(), 1);
}

/// Entries that are read from the file have no moment of a commit in this process.
#[tokio::test]
async fn the_commit_is_known_of_what_this_process_has_committed() {
    let folder = Folder::new();
    let (writer, log) = shared(&folder).await;
    let before = Moment::now();
    log.append(entries(1)).await.unwrap();
    let placed = place(&writer, &log, entries(1), false).await.unwrap();
    assert_eq!(placed.positions()[0].n(), 2);
    let committed: Vec<_> = log
        .all()
        .await
        .entries
        .iter()
        .map(|entry| entry.committed())
        .collect();
    assert!(before <= committed[0].unwrap() && committed[0] <= committed[1]);
    log.forget_recent();
    for entry in log.all().await.entries {
        assert_eq!(entry.committed(), None);
    }
}
