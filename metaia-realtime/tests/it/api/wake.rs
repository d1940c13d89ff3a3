//! `Realtime::wake` delivers what was appended beside the handle.

use metaia_realtime::{
    NewEntry, Role, SqliteLog,
    log::Retention,
    sqlite::{SqliteOptions, Writer},
    testing::TestServer,
};
use serde_json::json;

use crate::support::{event, number, user};

fn tick(i: u64) -> NewEntry {
    NewEntry::event([user("c1")], ("tick", json!({ "i": i }))).unwrap()
}

/// An embedder's own transaction on the log's database, without telling the log that it was
/// committed.
async fn commit_beside(writer: &Writer, log: &SqliteLog, entry: NewEntry) {
    let log = log.clone();
    let writing = writer.write(move |tx| log.append_in(tx, &[entry]));
    let _appended = writing.await.unwrap();
}

#[tokio::test]
async fn what_was_committed_in_a_transaction_of_the_embedder_is_delivered_after_a_wake() {
    let folder = tempfile();
    let writer = Writer::open(folder.join("shop.db"), SqliteOptions::default(), &[])
        .await
        .unwrap();
    let log = SqliteLog::on(&writer, Retention::DISK).await.unwrap();
    let server = TestServer::start(|builder| builder.log(log.clone())).await;
    let (_client, mut updates) = server.client(Role::Customer, "c1").await;

    for i in 0..3 {
        commit_beside(&writer, &log, tick(i)).await;
        server.realtime().wake();
        assert_eq!(number(&event(&mut updates, "tick").await.data), i);
    }

    // Several transactions may share one wake, and a wake with nothing new does nothing.
    commit_beside(&writer, &log, tick(3)).await;
    commit_beside(&writer, &log, tick(4)).await;
    server.realtime().wake();
    server.realtime().wake();
    for i in [3, 4] {
        assert_eq!(number(&event(&mut updates, "tick").await.data), i);
    }

    server.stop().await;
    log.close().await;
    writer.close().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

fn tempfile() -> std::path::PathBuf {
    let folder =
        std::env::temp_dir().join(format!("metaia-wake-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
