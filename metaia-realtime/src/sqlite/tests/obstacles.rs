//! Obstacles that keep a database from being written, and how they go away.

use std::fs;

use super::*;
use crate::sqlite::WriteObstacle;

#[tokio::test]
async fn writes_to_a_deleted_file_are_refused() {
    let folder = Folder::new();
    let writer = folder.open(ONE).await.unwrap();
    writer.write(insert(1)).await.unwrap();
    let readers = writer.readers(1);
    assert_eq!(readers.read(notes).await.unwrap(), [1]);
    assert_eq!(writer.obstacle(), None);

    fs::remove_file(folder.database()).unwrap();
    let refused = writer.write(insert(2)).await.unwrap_err();
    assert!(matches!(refused, WriteError::Unavailable(_)), "{refused:?}");
    assert_eq!(writer.obstacle(), Some(WriteObstacle::FileGone));
    // A connection that was open has the file, and a new one would have another.
    assert_eq!(readers.read(notes).await.unwrap(), [1]);
    let new = writer.readers(1).read(notes).await.unwrap_err();
    assert!(matches!(new, ReadError::Unavailable(_)), "{new:?}");
}

#[tokio::test]
async fn a_file_that_is_back_is_written_again() {
    let folder = Folder::new();
    let writer = folder.open(ONE).await.unwrap();
    let aside = folder.0.join("aside");
    fs::rename(folder.database(), &aside).unwrap();
    assert!(writer.probe().await.is_err());
    assert_eq!(writer.obstacle(), Some(WriteObstacle::FileGone));
    fs::rename(&aside, folder.database()).unwrap();
    writer.probe().await.unwrap();
    assert_eq!(writer.obstacle(), None);
    writer.write(insert(1)).await.unwrap();
    assert_eq!(kept(&writer).await, [1]);
}

#[tokio::test]
async fn a_copy_in_the_place_of_the_file_is_not_written() {
    let folder = Folder::new();
    let writer = folder.open(ONE).await.unwrap();
    let copy = folder.0.join("copy");
    fs::copy(folder.database(), &copy).unwrap();
    fs::rename(&copy, folder.database()).unwrap();
    assert!(writer.write(insert(1)).await.is_err());
    assert_eq!(writer.obstacle(), Some(WriteObstacle::FileGone));
}

#[tokio::test]
async fn a_deleted_write_ahead_log_is_noticed() {
    let folder = Folder::new();
    let writer = folder.open(ONE).await.unwrap();
    fs::remove_file(folder.0.join("test.db-wal")).unwrap();
    let refused = writer.write(insert(1)).await.unwrap_err();
    let WriteError::Unavailable(cause) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        cause.to_string().contains("test.db-wal was deleted"),
        "{cause}"
    );
}

#[tokio::test]
async fn a_write_that_breaks_a_rule_of_the_tables_is_no_obstacle() {
    const LINKED: &[Migration] = &[Migration {
        name: "linked",
        sql: "CREATE TABLE notes (n INTEGER PRIMARY KEY) STRICT;
              CREATE TABLE links (n INTEGER REFERENCES notes DEFERRABLE INITIALLY DEFERRED) STRICT",
    }];
    let folder = Folder::new();
    let writer = folder.open(LINKED).await.unwrap();
    let breaking = writer.write(|tx| tx.execute("INSERT INTO links VALUES (9)", []));
    assert!(breaking.await.is_err());
    assert_eq!(writer.obstacle(), None);
}
