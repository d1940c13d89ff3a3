//! The log after its process has ended: which entries survive, and which do not.

use super::*;

#[tokio::test]
async fn what_was_appended_is_there_again_in_the_same_epoch() {
    let folder = Folder::new();
    let log = folder.open().await;
    let positions = log.append(entries(10)).await.unwrap();
    let before = log.all().await;
    log.close().await;
    let log = folder.open().await;
    assert_eq!(log.head().await.unwrap().position, positions[9]);
    assert_eq!(*log.changes().borrow(), 10);
    for _ in 0..2 {
        let page = log.all().await;
        assert_eq!(page.epoch, before.epoch);
        for (entry, before) in page.entries.iter().zip(&before.entries) {
            assert_eq!(
                (entry.position(), entry.ts()),
                (before.position(), before.ts())
            );
            assert_eq!(entry.stamped().get(), before.stamped().get());
        }
        log.forget_recent();
    }
}

#[tokio::test]
async fn an_entry_that_is_appended_again_keeps_its_place() {
    let folder = Folder::new();
    let log = folder.open().await;
    let entry = entry([1]);
    let first = log
        .append(vec![entry.clone(), entry.clone()])
        .await
        .unwrap();
    assert_eq!(first[0], first[1]);
    log.close().await;
    let log = folder.open().await;
    let again = log.append(vec![super::entry([2]), entry]).await.unwrap();
    assert_eq!((again[0].n(), again[1]), (2, first[0]));
}

/// The next opening waits until the thread of the former log has ended.
#[tokio::test]
async fn a_log_that_was_only_dropped_can_be_opened_again() {
    let folder = Folder::new();
    for n in 1..4 {
        let log = folder.open().await;
        assert_eq!(log.append(vec![entry([1])]).await.unwrap()[0].n(), n);
    }
}

#[tokio::test]
async fn a_second_one_on_the_same_file_is_refused() {
    let folder = Folder::new();
    let log = folder.open().await;
    let second = folder.try_open(Retention::DISK).await;
    assert!(matches!(second, Err(OpenError::Locked { path }) if path == folder.database()));
    log.append(vec![entry([1])]).await.unwrap();
}

#[tokio::test]
async fn opening_and_what_is_recent_does_not_look_at_the_old() {
    let folder = Folder::new();
    let log = folder.open().await;
    for _ in 0..10 {
        log.append(entries(1_000)).await.unwrap();
    }
    log.close().await;
    let log = folder.open().await;
    let head = log.head().await.unwrap().position.n();
    for after in [head, head - 1, head - 1_000] {
        log.read(None, after, 64).await.unwrap();
        log.read(Some(&rooms([0, 1])), after, 64).await.unwrap();
        log.history(after, &rooms([0, 1]), 10_000).await.unwrap();
    }
    assert_eq!(log.reads(), 0);
    log.history(1, &rooms([0]), 10).await.unwrap();
    assert_eq!(log.reads(), 1);
}

/// An opening that read all entries would find the damage, and take 1 s per million entries.
#[tokio::test]
async fn an_opening_reads_the_last_entries_only() {
    let folder = Folder::new();
    let log = folder.open().await;
    for _ in 0..5 {
        log.append(entries(1_000)).await.unwrap();
    }
    let head = log.head().await.unwrap();
    log.close().await;
    folder.alter("UPDATE rt_entry SET payload = '{}' WHERE n <= 900");
    let log = folder.open().await;
    assert_eq!(log.head().await.unwrap(), head);
    assert_eq!(
        log.read(None, 0, 10).await.unwrap().trimmed,
        900,
        "a read of these entries finds the damage"
    );
}

#[tokio::test]
async fn a_closed_log_says_that_it_is_not_available() {
    let folder = Folder::new();
    let log = folder.open().await;
    log.append(entries(3)).await.unwrap();
    log.close().await;
    log.forget_recent();
    assert!(log.append(entries(1)).await.is_err());
    assert!(log.read(None, 0, 1).await.is_err());
    assert!(log.trim().await.is_err());
}
