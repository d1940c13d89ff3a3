//! Writes and reads: groups, order, the queue, the write-ahead log.

use std::sync::{Arc, Mutex};

use futures_util::future::join_all;

use super::*;

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
async fn a_write_is_done_even_if_its_future_is_dropped() {
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
async fn a_full_queue_makes_writers_wait() {
    let folder = Folder::new();
    let options = SqliteOptions {
        queue: 1,
        ..SqliteOptions::default()
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
        "a write without a place in the queue was written"
    );
}

/// SQLite does not move the pages by itself, so without this the write-ahead log would grow for
/// ever.
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
