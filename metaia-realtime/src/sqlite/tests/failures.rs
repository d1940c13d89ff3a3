//! Writes that fail, and what happens to the other writes of the group.

use std::sync::{Arc, Mutex};

use super::*;

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
