//! Rows that are not what was written: they are never handed out and never passed over.

use std::sync::Arc;

use super::*;
use crate::{Position, log::Entry};

/// Creates a log of 30 entries, entry `n` in room `n % 3`, closes it, and returns the positions.
async fn create_log_of_thirty(folder: &Folder) -> Vec<Position> {
    let log = folder.open().await;
    let positions = log
        .append((1..=30).map(|n| entry([n % 3])).collect())
        .await
        .unwrap();
    log.close().await;
    positions
}

/// Damages an open log and drops its recent entries, as if the log were so long that the opening
/// did not read the damaged rows.
async fn after_damage(damage: &str) -> (Folder, SqliteLog, Vec<Position>) {
    let folder = Folder::new();
    let positions = create_log_of_thirty(&folder).await;
    let log = folder.open().await;
    folder.alter(damage);
    log.forget_recent();
    (folder, log, positions)
}

#[tokio::test]
async fn a_damaged_entry_and_what_precedes_it_counts_as_trimmed_in_all_rooms() {
    for damage in [
        "UPDATE rt_entry SET payload = '{\"text\":\"other\"}' WHERE n = 10",
        "UPDATE rt_entry SET rooms = 'user-u7' WHERE n = 10",
        "UPDATE rt_entry SET name = 'f' WHERE n = 10",
        "UPDATE rt_entry SET ts = ts + 1 WHERE n = 10",
        "UPDATE rt_entry SET id = zeroblob(16) WHERE n = 10",
        "UPDATE rt_entry SET sum = sum + 1 WHERE n = 10",
        "DELETE FROM rt_entry WHERE n = 10",
    ] {
        let (folder, log, positions) = after_damage(damage).await;
        let page = log.read(Some(&rooms([1])), 4, 100).await.unwrap();
        assert_eq!((numbers(&page)[0], page.trimmed), (13, 10), "{damage}");
        assert_eq!(
            log.history(9, &rooms([2]), 10).await.unwrap().trimmed,
            10,
            "{damage}"
        );
        assert_eq!(
            log.history(10, &rooms([2]), 10).await.unwrap().trimmed,
            10,
            "{damage}"
        );
        let page = log.all().await;
        assert_eq!(
            (numbers(&page)[0], page.trimmed, page.scanned),
            (11, 10, 30),
            "{damage}"
        );
        log.close().await;
        let log = folder.open().await;
        assert_eq!(
            log.head().await.unwrap().position,
            positions[29],
            "{damage}"
        );
        assert_eq!(
            log.read(Some(&rooms([5])), 4, 100).await.unwrap().trimmed,
            10,
            "{damage}"
        );
    }
}

/// The stored entries cannot be found with certainty any more. Later entries can.
#[tokio::test]
async fn a_damaged_index_gives_up_what_was_stored_and_hands_nothing_to_strangers() {
    for damage in [
        "UPDATE rt_room SET room = 'user-u2' WHERE room = 'user-u1' AND n = 10",
        "UPDATE rt_room SET room = 'user-u9' WHERE room = 'user-u1' AND n = 10",
        "UPDATE rt_room SET n = 11 WHERE room = 'user-u1' AND n = 10",
        "UPDATE rt_room SET prev = 8 WHERE room = 'user-u1' AND n = 10",
        "DELETE FROM rt_room WHERE room = 'user-u1' AND n = 10",
        "DELETE FROM rt_room WHERE room = 'user-u1' AND n = 28",
        "DELETE FROM rt_room WHERE room = 'user-u1' AND n > 30",
        "DELETE FROM rt_room WHERE room = 'user-u1' AND n BETWEEN 10 AND 30",
    ] {
        let (_folder, log, _) = after_damage(damage).await;
        let page = log.read(Some(&rooms([1])), 4, 100).await.unwrap();
        assert_eq!((numbers(&page), page.trimmed), (vec![], 30), "{damage}");
        let history = log.history(30, &rooms([1]), 10).await.unwrap();
        assert_eq!((history.trimmed, history.missed), (30, 0), "{damage}");
        assert_eq!(
            log.append(vec![entry([1])]).await.unwrap()[0].n(),
            31,
            "{damage}"
        );
        log.forget_recent();
        assert_eq!(
            numbers(&log.read(Some(&rooms([1])), 30, 100).await.unwrap()),
            [31],
            "{damage}"
        );
    }
    let (_folder, log, _) = after_damage(
        "UPDATE rt_room SET room = 'user-u2', prev = 8 WHERE room = 'user-u1' AND n = 10",
    )
    .await;
    let page = log.read(Some(&rooms([2])), 9, 100).await.unwrap();
    assert_eq!((numbers(&page), page.trimmed), (Vec::new(), 30));
}

#[tokio::test]
async fn damage_among_the_last_entries_is_found_at_the_opening_and_begins_a_new_epoch() {
    for (damage, upto) in [
        ("UPDATE rt_entry SET payload = '{}' WHERE n = 29", 29),
        ("UPDATE rt_entry SET payload = '{}' WHERE n = 30", 30),
        ("DELETE FROM rt_entry WHERE n = 30", 30),
        ("DELETE FROM rt_entry WHERE n > 20", 30),
        ("DELETE FROM rt_entry WHERE n = 12", 12),
    ] {
        let folder = Folder::new();
        let positions = create_log_of_thirty(&folder).await;
        folder.alter(damage);
        let log = folder.open().await;
        let head = log.head().await.unwrap();
        assert_eq!((head.position.n(), head.floor), (30, upto), "{damage}");
        assert_ne!(head.position.epoch(), positions[29].epoch(), "{damage}");
        let expected: Vec<u64> = (upto + 1..=30).collect();
        assert_eq!(numbers(&log.all().await), expected, "{damage}");
        assert_eq!(
            log.append(vec![entry([1])]).await.unwrap()[0].n(),
            31,
            "{damage}"
        );
    }
}

#[tokio::test]
async fn a_damaged_record_of_the_head_is_refused_with_what_to_do() {
    for column in [
        "epoch", "head", "floor", "lost", "others", "marks", "bytes", "copied", "sum",
    ] {
        let folder = Folder::new();
        create_log_of_thirty(&folder).await;
        folder.alter(&format!("UPDATE rt_meta SET {column} = {column} + 1"));
        let refused = folder.try_open(Retention::DISK).await.unwrap_err();
        assert!(
            matches!(refused, OpenError::Damaged { .. }),
            "{column}: {refused:?}"
        );
        let said = refused.to_string();
        assert!(said.contains("log.db") && said.contains("backup"), "{said}");
    }
    for damage in [
        "DELETE FROM rt_meta",
        "UPDATE rt_meta SET head_id = zeroblob(16)",
    ] {
        let folder = Folder::new();
        create_log_of_thirty(&folder).await;
        folder.alter(damage);
        assert!(matches!(
            folder.try_open(Retention::DISK).await,
            Err(OpenError::Damaged { .. })
        ));
    }
}

#[tokio::test]
async fn tables_of_a_newer_version_are_refused() {
    let folder = Folder::new();
    create_log_of_thirty(&folder).await;
    folder.alter("UPDATE rt_meta SET version = 2");
    let refused = folder.try_open(Retention::DISK).await;
    assert!(
        matches!(
            refused,
            Err(OpenError::Newer {
                found: 2,
                known: 1,
                ..
            })
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn damaged_marks_are_replaced_by_one_for_all_rooms() {
    for damage in [
        "UPDATE rt_trimmed SET room = 'user-u8' WHERE room = 'user-u1'",
        "DELETE FROM rt_trimmed",
    ] {
        let folder = Folder::new();
        create_log_of_thirty(&folder).await;
        let log = folder.try_open(Retention::DISK.entries(10)).await.unwrap();
        log.trim().await.unwrap();
        assert_eq!(log.history(1, &rooms([1]), 1).await.unwrap().trimmed, 19);
        log.close().await;
        folder.alter(damage);
        let log = folder.open().await;
        for r in 0..6 {
            assert_eq!(
                log.history(1, &rooms([r]), 1).await.unwrap().trimmed,
                20,
                "{damage}"
            );
        }
    }
}

#[tokio::test]
async fn a_truncated_file_is_refused() {
    let folder = Folder::new();
    let log = folder.open().await;
    log.append(entries(500)).await.unwrap();
    log.close().await;
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(folder.database())
        .unwrap();
    for part in [2, 3, 10] {
        file.set_len(file.metadata().unwrap().len() / part).unwrap();
        let refused = folder.try_open(Retention::DISK).await.unwrap_err();
        assert!(matches!(refused, OpenError::Corrupt { .. }), "{refused:?}");
        assert!(refused.to_string().contains("backup"), "{refused}");
    }
}

/// Flips bytes all over the file: entries that can still be read are what was written, and no
/// reader misses an entry without being told.
#[tokio::test]
async fn whatever_byte_is_flipped_nothing_wrong_is_read_and_nothing_is_missed() {
    let folder = Folder::new();
    create_log_of_thirty(&folder).await;
    let log = folder.open().await;
    let written = log.all().await;
    log.close().await;
    let whole = std::fs::read(folder.database()).unwrap();
    for (at, mask) in (0..whole.len())
        .step_by(whole.len() / 150)
        .zip([0x55, 1, 0x80, 2, 0x20].into_iter().cycle())
    {
        let broken = Folder::new();
        std::fs::copy(folder.file("log.db.mark"), broken.file("log.db.mark")).unwrap();
        let mut bytes = whole.clone();
        bytes[at] ^= mask;
        std::fs::write(broken.database(), bytes).unwrap();
        let log = match broken.try_open(Retention::DISK).await {
            Ok(log) => log,
            Err(error) => {
                assert!(
                    !format!("{error:?}").contains("panicked"),
                    "byte {at}: {error:?}"
                );
                continue;
            }
        };
        // In another epoch no client resumes from its position.
        if log.head().await.unwrap().position.epoch() == written.epoch {
            for of in [Some(rooms([0])), Some(rooms([1])), Some(rooms([2])), None] {
                check(
                    &log,
                    of.as_deref(),
                    &written.entries,
                    &format!("byte {at}, {of:?}"),
                )
                .await;
            }
        }
    }
}

async fn check(log: &SqliteLog, of: Option<&[Room]>, written: &[Arc<Entry>], case: &str) {
    log.forget_recent();
    let page = match log.read(of, 3, 100).await {
        Ok(page) => page,
        Err(error) => {
            return assert!(
                !format!("{error:?}").contains("panicked"),
                "{case}: {error:?}"
            );
        }
    };
    let theirs = |entry: &&Arc<Entry>| of.is_none_or(|of| entry.content().rooms() == of);
    let right: Vec<_> = written
        .iter()
        .filter(theirs)
        .filter(|entry| entry.n() > 3.max(page.trimmed))
        .collect();
    assert_eq!(
        page.entries.len(),
        right.len(),
        "{case}, trimmed {}",
        page.trimmed
    );
    let same =
        |(read, right): (&Arc<Entry>, &Arc<Entry>)| read.stamped().get() == right.stamped().get();
    assert!(page.entries.iter().zip(right).all(same), "{case}");
}
