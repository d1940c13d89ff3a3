//! New epochs: clients are told to reload if their positions may not match the log.

use super::*;
use crate::{Position, values::Epoch};

async fn epoch(log: &SqliteLog) -> Epoch {
    log.head().await.unwrap().position.epoch()
}

/// Creates a log with three entries, closes it, and returns the position of the last.
async fn create_log_of_three(folder: &Folder) -> Position {
    let log = folder.open().await;
    let last = log.append(entries(3)).await.unwrap()[2];
    log.close().await;
    last
}

/// Replaces the database by a copy.
fn restore(folder: &Folder, copy: &str) {
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.file(&format!("log.db{end}")));
    }
    std::fs::copy(folder.file(copy), folder.database()).unwrap();
}

#[tokio::test]
async fn an_older_copy_of_the_file_begins_a_new_epoch() {
    let folder = Folder::new();
    let last = create_log_of_three(&folder).await;
    std::fs::copy(folder.database(), folder.file("old.db")).unwrap();
    let log = folder.open().await;
    log.append(entries(2)).await.unwrap();
    drop(log);
    let log = folder.open().await;
    assert_eq!(epoch(&log).await, last.epoch());
    log.close().await;
    restore(&folder, "old.db");
    let log = folder.open().await;
    let head = log.head().await.unwrap().position;
    assert_eq!(head.n(), 3);
    assert_ne!(head.epoch(), last.epoch());
    assert!(
        log.all()
            .await
            .entries
            .iter()
            .all(|entry| entry.position().epoch() == head.epoch())
    );
    log.close().await;
    assert_eq!(epoch(&folder.open().await).await, head.epoch());
}

/// The copy has grown beyond the number that the witness states before it is opened here.
#[tokio::test]
async fn an_older_copy_that_has_grown_elsewhere_begins_a_new_epoch() {
    let folder = Folder::new();
    let elsewhere = Folder::new();
    let last = create_log_of_three(&folder).await;
    for file in ["log.db", "log.db.mark"] {
        std::fs::copy(folder.file(file), elsewhere.file(file)).unwrap();
    }
    for (folder, count) in [(&folder, 2), (&elsewhere, 5)] {
        let log = folder.open().await;
        log.append(entries(count)).await.unwrap();
        assert_eq!(epoch(&log).await, last.epoch());
        log.close().await;
    }
    std::fs::copy(elsewhere.database(), folder.database()).unwrap();
    assert_ne!(epoch(&folder.open().await).await, last.epoch());
}

#[tokio::test]
async fn a_backup_begins_a_new_epoch_wherever_it_is_put() {
    let folder = Folder::new();
    let log = folder.open().await;
    let last = log.append(entries(3)).await.unwrap()[2];
    log.backup(folder.file("copy.db")).await.unwrap();
    log.append(entries(1)).await.unwrap();
    log.close().await;
    restore(&folder, "copy.db");
    let log = folder.open().await;
    let head = log.head().await.unwrap().position;
    assert_eq!(head.n(), 3);
    assert_ne!(head.epoch(), last.epoch());
    let other = SqliteLog::open(folder.file("copy.db")).await.unwrap();
    assert!(![last.epoch(), head.epoch()].contains(&epoch(&other).await));
    assert_eq!(other.append(entries(1)).await.unwrap()[0].n(), 4);
}

#[tokio::test]
async fn a_backup_that_was_restored_at_once_begins_a_new_epoch_too() {
    let folder = Folder::new();
    let last = create_log_of_three(&folder).await;
    crate::log::sqlite::backup(&folder.database(), &folder.file("copy.db")).unwrap();
    restore(&folder, "copy.db");
    assert_ne!(epoch(&folder.open().await).await, last.epoch());
}

/// After a crash the write-ahead log of the former file still exists. It must not be replayed over
/// the backup.
#[tokio::test]
async fn a_backup_that_is_restored_after_a_crash_is_what_it_was() {
    let folder = Folder::new();
    let log = folder.open().await;
    log.append(entries(3)).await.unwrap();
    log.backup(folder.file("copy.db")).await.unwrap();
    log.append(entries(500)).await.unwrap();
    std::fs::copy(folder.file("log.db-wal"), folder.file("left")).unwrap();
    log.close().await;
    std::fs::rename(folder.file("left"), folder.file("log.db-wal")).unwrap();
    std::fs::copy(folder.file("copy.db"), folder.database()).unwrap();
    let log = folder.open().await;
    log.forget_recent();
    assert_eq!(numbers(&log.all().await), [1, 2, 3]);
    assert!(folder.file("log.db-wal.stale").exists());
}

#[tokio::test]
async fn a_backup_leaves_existing_files_alone_and_nothing_half_done() {
    let folder = Folder::new();
    let log = folder.open().await;
    log.append(entries(3)).await.unwrap();
    std::fs::write(folder.file("mine"), "mine").unwrap();
    let refused = log.backup(folder.file("mine")).await;
    assert!(
        matches!(refused, Err(crate::log::sqlite::BackupError::Exists { .. })),
        "{refused:?}"
    );
    assert_eq!(std::fs::read(folder.file("mine")).unwrap(), b"mine");
    assert!(log.backup(folder.file("no/such/folder")).await.is_err());
    assert!(crate::log::sqlite::backup(&folder.file("mine"), &folder.file("copy")).is_err());
    assert!(crate::log::sqlite::backup(&folder.file("none"), &folder.file("copy")).is_err());
    let left = std::fs::read_dir(&folder.0)
        .unwrap()
        .map(|file| file.unwrap().file_name());
    let left: Vec<_> = left.map(|name| name.into_string().unwrap()).collect();
    assert!(
        !left.iter().any(|name| name.starts_with("copy")),
        "{left:?}"
    );
}

#[tokio::test]
async fn a_backup_of_a_log_that_is_written_is_one_moment_of_it() {
    let folder = Folder::new();
    let log = folder.open().await;
    let appends = async {
        for _ in 0..50 {
            log.append(entries(20)).await.unwrap();
        }
    };
    let (copied, ()) = futures_util::join!(log.backup(folder.file("copy.db")), appends);
    copied.unwrap();
    let copy = SqliteLog::open(folder.file("copy.db")).await.unwrap();
    copy.forget_recent();
    let page = copy.all().await;
    let head = copy.head().await.unwrap().position.n();
    assert_eq!((page.entries.len() as u64, head % 20), (head, 0));
}

#[tokio::test]
async fn without_its_witness_a_log_begins_a_new_epoch_and_only_once() {
    let folder = Folder::new();
    let last = create_log_of_three(&folder).await;
    std::fs::remove_file(folder.file("log.db.mark")).unwrap();
    let log = folder.open().await;
    let new = epoch(&log).await;
    assert_ne!(new, last.epoch());
    log.close().await;
    assert_eq!(epoch(&folder.open().await).await, new);
}

/// `kill -9` between a commit and the write of the witness leaves the witness behind.
#[tokio::test]
async fn a_witness_that_is_behind_is_no_reason() {
    let folder = Folder::new();
    let last = create_log_of_three(&folder).await;
    let behind = std::fs::read(folder.file("log.db.mark")).unwrap();
    let log = folder.open().await;
    log.append(entries(2)).await.unwrap();
    log.close().await;
    std::fs::write(folder.file("log.db.mark"), behind).unwrap();
    assert_eq!(epoch(&folder.open().await).await, last.epoch());
}
