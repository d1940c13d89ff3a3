//! `Realtime::wake` delivers what was appended beside the handle.

use metaia_realtime::{
    EventLog, NewEntry, Role, SqliteLog,
    log::Retention,
    sqlite::{SqliteOptions, Writer},
    testing::TestServer,
};
use serde_json::json;

use crate::support::{event, number, ticks, user};

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
    let folder = temporary_folder();
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

/// A log in a folder of its own, and a server that delivers what is in it.
struct Shop {
    folder: std::path::PathBuf,
    writer: Writer,
    log: SqliteLog,
    server: TestServer,
}

impl Shop {
    async fn open() -> Self {
        let folder = temporary_folder();
        let writer = Writer::open(folder.join("shop.db"), SqliteOptions::default(), &[])
            .await
            .unwrap();
        let log = SqliteLog::on(&writer, Retention::DISK).await.unwrap();
        let server = TestServer::start(|builder| builder.log(log.clone())).await;
        Self {
            folder,
            writer,
            log,
            server,
        }
    }

    async fn close(self) {
        self.server.stop().await;
        self.log.close().await;
        self.writer.close().await;
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

#[tokio::test]
async fn appends_of_the_handle_and_entries_beside_it_are_one_order() {
    let shop = Shop::open().await;
    let (_client, mut updates) = shop.server.client(Role::Customer, "c1").await;
    for i in (0..20).step_by(2) {
        commit_beside(&shop.writer, &shop.log, tick(i)).await;
        // Not woken: the next append shows that something lies before it.
        shop.server
            .realtime()
            .publish(vec![tick(i + 1)])
            .await
            .unwrap();
    }
    let received = ticks(&mut updates, 20).await;
    assert_eq!(received, (0..20).collect::<Vec<u64>>());
    shop.close().await;
}

#[tokio::test]
async fn more_entries_than_stay_in_memory_are_delivered_after_one_wake() {
    let shop = Shop::open().await;
    let (_client, mut updates) = shop.server.client(Role::Customer, "c1").await;
    let entries: Vec<NewEntry> = (0..5_000).map(tick).collect();
    let log = shop.log.clone();
    let writing = shop.writer.write(move |tx| log.append_in(tx, &entries));
    let _appended = writing.await.unwrap();
    shop.server.realtime().wake();
    let received = ticks(&mut updates, 5_000).await;
    assert_eq!(received, (0..5_000).collect::<Vec<u64>>());
    shop.close().await;
}

#[tokio::test]
async fn a_wake_after_the_log_is_closed_does_nothing() {
    let shop = Shop::open().await;
    let realtime = shop.server.realtime().clone();
    let log = shop.log.clone();
    shop.close().await;
    realtime.wake();
    EventLog::wake(&log);
}

fn temporary_folder() -> std::path::PathBuf {
    let folder =
        std::env::temp_dir().join(format!("metaia-wake-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
