//! Opening and closing: files that are refused, migrations, options.

use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn closing_does_what_is_queued_and_the_next_opening_has_it() {
    let folder = Folder::new();
    let writer = folder.open(ONE).await.unwrap();
    let (writes, ()) = futures_util::join!(
        join_all((0..20).map(|n| writer.write(insert(n)))),
        writer.close()
    );
    assert!(writes.into_iter().all(|write| write.is_ok()));
    assert!(matches!(
        writer.write(insert(99)).await,
        Err(WriteError::Closed)
    ));
    assert_eq!(
        std::fs::read_dir(&folder.0).unwrap().count(),
        2,
        "only the database and its lock file"
    );
    let writer = folder.open(TWO).await.unwrap();
    assert_eq!(kept(&writer).await.len(), 20);
}

#[tokio::test]
async fn a_second_opening_is_refused() {
    let folder = Folder::new();
    let writer = folder.open(ONE).await.unwrap();
    let second = folder.open(ONE).await.unwrap_err();
    assert!(matches!(second, OpenError::Locked { .. }), "{second:?}");
    writer.close().await;
    folder.open(ONE).await.unwrap();
}

#[tokio::test]
async fn a_newer_foreign_or_damaged_file_is_refused_and_left_alone() {
    let folder = Folder::new();
    folder.open(TWO).await.unwrap().close().await;
    let newer = folder.open(ONE).await.unwrap_err();
    assert!(
        matches!(
            newer,
            OpenError::Newer {
                found: 2,
                known: 1,
                ..
            }
        ),
        "{newer:?}"
    );

    let foreign = Folder::new();
    Connection::open(foreign.database())
        .unwrap()
        .execute_batch("CREATE TABLE theirs (n)")
        .unwrap();
    let refused = foreign.open(ONE).await.unwrap_err();
    assert!(
        matches!(refused, OpenError::Foreign { found: 0, .. }),
        "{refused:?}"
    );

    let damaged = Folder::new();
    let text = "not a database ".repeat(1_000);
    std::fs::write(damaged.database(), &text).unwrap();
    let refused = damaged.open(ONE).await.unwrap_err();
    assert!(matches!(refused, OpenError::Corrupt { .. }), "{refused:?}");
    assert_eq!(std::fs::read_to_string(damaged.database()).unwrap(), text);
}

#[tokio::test]
async fn damage_that_a_migration_meets_is_damage_and_said_in_one_line() {
    let folder = Folder::new();
    folder.open(ONE).await.unwrap().close().await;
    let mut file = std::fs::read(folder.database()).unwrap();
    // One free page, far beyond the end.
    file[32..40].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1]);
    std::fs::write(folder.database(), &file).unwrap();
    let refused = folder.open(TWO).await.unwrap_err();
    assert!(matches!(refused, OpenError::Corrupt { .. }), "{refused:?}");
    let said = std::error::Error::source(&refused).unwrap().to_string();
    assert!(!said.contains("CREATE"), "{said}");
}

#[tokio::test]
async fn a_path_that_cannot_be_is_an_error() {
    let folder = Folder::new();
    let missing = Writer::open(folder.0.join("no/such.db"), SqliteOptions::default(), ONE)
        .await
        .unwrap_err();
    assert!(
        matches!(missing, OpenError::Unreadable { .. }),
        "{missing:?}"
    );
    let is_a_folder = Writer::open(&folder.0, SqliteOptions::default(), ONE)
        .await
        .unwrap_err();
    assert!(
        matches!(is_a_folder, OpenError::Unreadable { .. }),
        "{is_a_folder:?}"
    );
}

#[tokio::test]
async fn a_failing_migration_is_rolled_back_and_named() {
    let folder = Folder::new();
    let failed = folder.open(BROKEN).await.unwrap_err();
    assert!(
        matches!(failed, OpenError::Migration { name: "typo", .. }),
        "{failed:?}"
    );
    let writer = folder.open(TWO).await.unwrap();
    assert_eq!(kept(&writer).await, [0_i64; 0]);
}

#[tokio::test]
async fn durability_is_what_was_asked_for() {
    for (durability, synchronous) in [(Durability::Full, 2), (Durability::Normal, 1)] {
        let folder = Folder::new();
        let options = SqliteOptions::durability(durability);
        let writer = Writer::open(folder.database(), options, ONE).await.unwrap();
        let pragma = |tx: &Savepoint<'_>| {
            tx.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0))
        };
        assert_eq!(writer.write(pragma).await.unwrap(), synchronous);
    }
}
