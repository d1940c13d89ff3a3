//! Control entries that a newer version has written into the file, or that are damaged in a row
//! that is what was written.

use super::*;
use crate::{
    log::{EntryKind, sqlite::checksum::Checksum},
    values::EventId,
};

/// Gives entry 2 another name and payload, with the right checksum.
fn rewrite(folder: &Folder, name: &str, payload: &str) {
    let db = Connection::open(folder.database()).unwrap();
    let sql = "SELECT id, ts, rooms FROM rt_entry WHERE n = 2";
    let (id, ts, rooms): ([u8; 16], i64, String) = db
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    let sum = Checksum::new("entry")
        .number(2)
        .bytes(&id)
        .number(ts)
        .text(&rooms)
        .text(name)
        .text(payload)
        .finish();
    let sql = "UPDATE rt_entry SET name = ?1, payload = ?2, sum = ?3 WHERE n = 2";
    db.execute(sql, (name, payload, sum)).unwrap();
}

#[tokio::test]
async fn an_unreadable_control_entry_is_an_entry_and_no_damage() {
    for (name, payload) in [
        ("rt:newer", "{}"),
        ("rt:newer", "not JSON"),
        ("rt:disconnect_user", r#"{"id":"#),
        ("rt:recheck", "{}"),
    ] {
        let folder = Folder::new();
        let log = folder.open().await;
        let before = log.append(entries(3)).await.unwrap();
        log.close().await;
        rewrite(&folder, name, payload);
        let log = folder.open().await;
        assert_eq!(log.head().await.unwrap().position, before[2], "{name}");
        for _ in 0..2 {
            let page = log.all().await;
            assert_eq!((numbers(&page), page.trimmed), (vec![1, 2, 3], 0), "{name}");
            let kinds: Vec<_> = page.entries.iter().map(|entry| entry.kind()).collect();
            let expected = [EntryKind::Event, EntryKind::Unreadable, EntryKind::Event];
            assert_eq!(kinds, expected.each_ref(), "{name} {payload}");
            log.forget_recent();
        }
    }
}

#[tokio::test]
async fn an_entry_of_rooms_that_this_version_does_not_know_is_trimmed_like_any_other() {
    let folder = Folder::new();
    let log = folder.try_open(Retention::DISK.entries(2)).await.unwrap();
    let rooms = ["team-7", "user-u1"];
    let newer = NewEntry::stored(EventId::random(), rooms, "rt:newer", "{}".to_owned()).unwrap();
    log.append(vec![newer]).await.unwrap();
    log.append(entries(3)).await.unwrap();
    log.trim().await.unwrap();
    let page = log.read(Some(&[room(1)]), 0, 10).await.unwrap();
    assert_eq!((numbers(&page), page.trimmed), (vec![3], 1));
}
