//! Revocations on a real file: what an earlier version has written, and what damage does.

use super::*;
use crate::revocation::{Revocation, RevocationStore as _};

/// A row of `rt_revocation`: key, bound, sum.
type StoredRow = (String, i64, i64);

fn revocations() -> [Revocation; 4] {
    [
        Revocation::of_everyone(1_800_000_000_000),
        Revocation::of_token("a token: \"ä\" %", None),
        Revocation::of_token("t", Some(4_102_444_800_000)),
        Revocation::of_user("u1".parse().unwrap(), 1_800_000_000_001),
    ]
}

impl Folder {
    fn revocation_rows(&self) -> Vec<StoredRow> {
        let db = Connection::open(self.database()).unwrap();
        let sql = "SELECT key, bound, sum FROM rt_revocation ORDER BY key";
        let mut select = db.prepare(sql).unwrap();
        let rows = select.query_map([], |row| row.try_into()).unwrap();
        rows.map(Result::unwrap).collect()
    }
}

impl SqliteLog {
    async fn all_revocations(&self) -> Vec<Revocation> {
        let all = self.changed_since(None, usize::MAX).await.unwrap();
        let mut all = all.revocations;
        all.sort_by_key(Revocation::key);
        all
    }
}

#[tokio::test]
async fn the_rows_of_revocations_stay_byte_for_byte_the_same() {
    let folder = Folder::new();
    let log = folder.open().await;
    for revocation in revocations() {
        log.put(revocation).await.unwrap();
    }
    let golden = [
        ("everyone", 1_800_000_000_000, 3_216_820_171_513_338_110),
        (
            "token a token: \"ä\" %",
            i64::MAX,
            2_942_427_224_949_278_512,
        ),
        ("token t", 4_102_444_800_000, 3_656_018_406_803_345_173),
        ("user u1", 1_800_000_000_001, -2_860_889_894_296_330_766),
    ];
    let golden = golden.map(|(key, bound, sum)| (key.to_owned(), bound, sum));
    assert_eq!(folder.revocation_rows(), golden);
    log.close().await;
}

/// Version 79f6e03 has no such table, and ignores it.
#[tokio::test]
async fn a_database_without_the_table_gets_it() {
    let folder = Folder::new();
    let log = folder.open().await;
    log.append(entries(3)).await.unwrap();
    log.close().await;
    let db = Connection::open(folder.database()).unwrap();
    db.execute_batch("DROP TABLE rt_revocation").unwrap();
    drop(db);
    let log = folder.open().await;
    assert_eq!(log.head().await.unwrap().position.n(), 3);
    assert_eq!(log.all_revocations().await, []);
    for revocation in revocations() {
        log.put(revocation).await.unwrap();
    }
    log.close().await;
    let log = folder.open().await;
    assert_eq!(log.all_revocations().await, revocations());
}

#[tokio::test]
async fn a_damaged_row_revokes_all_tokens_until_then_once() {
    for damage in [
        "UPDATE rt_revocation SET bound = bound - 1 WHERE key = 'user u1'",
        "UPDATE rt_revocation SET sum = 0 WHERE key = 'user u1'",
        "UPDATE rt_revocation SET key = 'user u2' WHERE key = 'user u1'",
        "UPDATE rt_revocation SET key = CAST(x'ff00' AS TEXT) WHERE key = 'user u1'",
    ] {
        let folder = Folder::new();
        let log = folder.open().await;
        let before = time_now();
        log.put(Revocation::of_user("u1".parse().unwrap(), 7))
            .await
            .unwrap();
        log.put(Revocation::of_token("t", None)).await.unwrap();
        log.close().await;
        folder.alter(damage);
        let log = folder.open().await;
        let healed = log.all_revocations().await;
        let [everyone, token] = &*healed else {
            panic!("{damage}: {healed:?}");
        };
        assert_eq!(everyone.key(), "everyone", "{damage}");
        assert!(
            (before..=time_now()).contains(&everyone.bound()),
            "{damage}"
        );
        assert_eq!(*token, Revocation::of_token("t", None), "{damage}");
        log.close().await;
        assert_eq!(
            folder.open().await.all_revocations().await,
            healed,
            "{damage}"
        );
    }
}

/// Replaces the table by one without types, as damage that reaches the schema would.
const WITHOUT_TYPES: &str = "
    CREATE TABLE loose (key TEXT NOT NULL UNIQUE, bound, sum);
    INSERT INTO loose SELECT key, bound, sum FROM rt_revocation;
    DROP TABLE rt_revocation;
    ALTER TABLE loose RENAME TO rt_revocation;";

/// A record that is put over a damaged one must not weaken it: the bound of the damaged one may
/// have been greater.
#[tokio::test]
async fn a_damaged_row_is_not_weakened_by_a_put() {
    for (key, revocation) in [
        ("user u1", Revocation::of_user("u1".parse().unwrap(), 7)),
        ("token t", Revocation::of_token("t", Some(time_now()))),
        ("everyone", Revocation::of_everyone(7)),
    ] {
        for bound in [
            "NULL",
            "'text'",
            "x'00ff'",
            "-1",
            "0",
            "9223372036854775807",
            "1e300",
        ] {
            let folder = Folder::new();
            let log = folder.open().await;
            log.put(Revocation::of_everyone(5)).await.unwrap();
            log.put(revocation.clone()).await.unwrap();
            log.close().await;
            let damage = format!("UPDATE rt_revocation SET bound = {bound} WHERE key = '{key}'");
            folder.alter(&format!("{WITHOUT_TYPES} {damage}"));
            let before = time_now();
            let log = folder.open().await;
            let standing = log.put(revocation.clone()).await.unwrap();
            let stored = log.all_revocations().await;
            let everyone = &stored[0];
            assert_eq!(everyone.key(), "everyone", "{key} {bound}");
            let is_raised = (before..=time_now()).contains(&everyone.bound());
            assert!(is_raised, "{key} {bound}: {stored:?}");
            let due = stored.iter().find(|it| it.key() == key);
            assert_eq!(due, Some(&standing), "{key} {bound}");
        }
    }
}

/// A bound that damage has made smaller looks like that of a token that has ended.
#[tokio::test]
async fn a_damaged_row_does_not_end() {
    let folder = Folder::new();
    let log = folder.open().await;
    log.put(Revocation::of_token("t", None)).await.unwrap();
    log.close().await;
    folder.alter("UPDATE rt_revocation SET bound = 1");
    let before = time_now();
    let log = folder.open().await;
    let user = Revocation::of_user("u1".parse().unwrap(), 7);
    log.put(user.clone()).await.unwrap();
    let stored = log.all_revocations().await;
    assert_eq!(stored[1..], [user]);
    assert!(stored[0].bound() >= before, "{stored:?}");
}

#[tokio::test]
async fn damaged_rows_on_several_pages_are_replaced() {
    let folder = Folder::new();
    let log = folder.open().await;
    for i in 0..10 {
        let user = format!("u{i}").parse().unwrap();
        log.put(Revocation::of_user(user, 7)).await.unwrap();
    }
    log.close().await;
    folder.alter("UPDATE rt_revocation SET sum = 0 WHERE rowid % 3 = 0");
    let log = folder.open().await;
    let mut cursor = None;
    let mut read = Vec::new();
    for _ in 0..10 {
        let page = log.changed_since(cursor, 3).await.unwrap();
        assert!(page.revocations.len() <= 3, "{page:?}");
        read.extend(page.revocations);
        cursor = Some(page.cursor);
        if !page.has_more {
            break;
        }
    }
    read.retain(|it| it.key() != "everyone");
    let mut keys: Vec<_> = read.iter().map(Revocation::key).collect();
    keys.sort_unstable();
    let sound = ["0", "1", "3", "4", "6", "7", "9"].map(|i| format!("user u{i}"));
    assert_eq!(keys, sound);
    assert_eq!(log.all_revocations().await.len(), sound.len() + 1);
}

fn time_now() -> i64 {
    crate::values::time::unix_ms()
}
