//! Retention, and the trimmed marks that readers receive.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn more_than_one_batch_goes_and_the_marks_outlive_the_process() {
    let folder = Folder::new();
    let log = folder.open().await;
    log.append(
        (1..=2_000)
            .map(|n| entry([if n == 700 { 9 } else { 1 }]))
            .collect(),
    )
    .await
    .unwrap();
    log.close().await;
    let log = folder
        .try_open(Retention::DISK.entries(1_000))
        .await
        .unwrap();
    assert_eq!(log.trim().await.unwrap(), 1_000);
    assert_eq!(log.trim().await.unwrap(), 0);
    log.close().await;
    let log = folder.open().await;
    assert_eq!(log.head().await.unwrap().floor, 1_000);
    for (r, trimmed) in [(1, 1_000), (9, 700), (2, 0)] {
        assert_eq!(
            log.history(10, &rooms([r]), 1).await.unwrap().trimmed,
            trimmed
        );
        assert_eq!(
            log.read(Some(&rooms([r])), 10, 1).await.unwrap().trimmed,
            trimmed
        );
    }
    let left = |db: &Connection| {
        let count = "SELECT (SELECT count(*) FROM rt_entry), (SELECT count(*) FROM rt_room)";
        db.query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?)))
    };
    let left: (i64, i64) = log.state.readers.read(left).await.unwrap();
    assert_eq!(
        left,
        (1_000, 1_001),
        "entries; links of the rooms, and the end of one"
    );
}

#[tokio::test]
async fn the_last_entry_stays_whatever_the_bounds() {
    for retention in [
        Retention::DISK.entries(0),
        Retention::DISK.bytes(0),
        Retention::DISK.age(Duration::ZERO),
    ] {
        let folder = Folder::new();
        let log = folder.try_open(retention).await.unwrap();
        log.trim().await.unwrap();
        log.append(entries(300)).await.unwrap();
        log.trim().await.unwrap();
        assert_eq!(numbers(&log.all().await), [300], "{retention:?}");
        log.close().await;
        let log = folder.try_open(retention).await.unwrap();
        log.trim().await.unwrap();
        assert_eq!(log.append(entries(1)).await.unwrap()[0].n(), 301);
    }
}

#[tokio::test]
async fn what_is_beyond_the_bounds_goes_by_itself() {
    let folder = Folder::new();
    let log = folder.try_open(Retention::DISK.entries(100)).await.unwrap();
    log.append(entries(1_000)).await.unwrap();
    let trimmed = async {
        while log.head().await.unwrap().floor < 900 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), trimmed)
        .await
        .unwrap();
}

#[tokio::test]
async fn damage_that_is_about_to_be_trimmed_counts_as_trimmed_in_all_rooms() {
    for damage in [
        "UPDATE rt_entry SET rooms = 'user-u7' WHERE n = 10",
        "DELETE FROM rt_entry WHERE n = 10",
    ] {
        let folder = Folder::new();
        let log = folder
            .try_open(Retention::DISK.age(Duration::ZERO))
            .await
            .unwrap();
        log.append((1..=30).map(|_| entry([1])).collect())
            .await
            .unwrap();
        folder.alter(damage);
        log.trim().await.unwrap();
        assert_eq!(log.head().await.unwrap().floor, 29);
        for (r, trimmed) in [(1, 29), (7, 10)] {
            assert_eq!(
                log.history(1, &rooms([r]), 1).await.unwrap().trimmed,
                trimmed,
                "{damage}"
            );
        }
    }
}

/// Entries are deleted while a reader reads: each page is whole, or its trimmed mark says that
/// entries before it are gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_is_told_of_every_hole() {
    let folder = Folder::new();
    let log = folder.try_open(Retention::DISK.entries(50)).await.unwrap();
    let writing = async {
        for _ in 0..60 {
            log.append((0..20).map(|_| entry([1])).collect())
                .await
                .unwrap();
            log.trim().await.unwrap();
        }
    };
    let reading = async {
        let mut cursor = 0;
        while cursor < 1_200 {
            tokio::task::yield_now().await;
            log.forget_recent();
            let page = log.read(Some(&rooms([1])), cursor, 7).await.unwrap();
            let from = cursor.max(page.trimmed);
            let whole: Vec<u64> = (from + 1..=page.scanned).collect();
            let read: Vec<u64> = numbers(&page).into_iter().filter(|n| *n > from).collect();
            assert_eq!(read, whole, "after {cursor}, trimmed {}", page.trimmed);
            cursor = page.scanned.max(from);
        }
    };
    futures_util::join!(writing, reading);
}
