//! The contract of logs, and a server with this log.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use metaia_realtime::{
    NewEntry, Role, Room, UserId,
    client::Updates,
    log::Retention,
    testing::{
        TestServer,
        log_contract::{KillableSubject, Subject},
    },
    values::EventId,
};
use serde_json::{Value, json};

use super::file_log::FileLog;

/// A file with a log, which the process that created it removes.
struct InFile {
    path: PathBuf,
    is_ours: bool,
}

impl Drop for InFile {
    fn drop(&mut self) {
        if self.is_ours {
            fs::remove_file(&self.path).ok();
        }
    }
}

impl Subject for InFile {
    type Log = FileLog;
    const DURABLE: bool = true;

    fn new() -> Self {
        Self {
            path: env::temp_dir().join(format!("own-log-{}.jsonl", EventId::random())),
            is_ours: true,
        }
    }

    async fn open(&self, retention: Retention) -> FileLog {
        FileLog::open(&self.path, retention).unwrap()
    }

    async fn trim(&self, log: &FileLog) {
        log.trim().unwrap();
    }
}

impl KillableSubject for InFile {
    fn address(&self) -> String {
        self.path.to_str().unwrap().to_owned()
    }

    fn at(address: &str) -> Self {
        Self {
            path: address.into(),
            is_ours: false,
        }
    }
}

metaia_realtime::log_contract!(InFile, kills: 10);

async fn server_on(path: &Path) -> TestServer {
    let log = FileLog::open(path, Retention::DISK).unwrap();
    TestServer::start(|builder| builder.log(log)).await
}

fn news(i: u64) -> NewEntry {
    NewEntry::event([Room::Everyone], ("news", json!({ "i": i }))).unwrap()
}

/// Returns two events, and between them each kind of control entry, also one of a newer version.
fn controls_between_events() -> Vec<NewEntry> {
    let nobody: UserId = "nobody".parse().unwrap();
    let newer = NewEntry::stored(EventId::random(), ["order-o1"], "rt:newer", "{}".to_owned());
    vec![
        news(1),
        NewEntry::recheck("o1".parse().unwrap()),
        NewEntry::disconnect_user(nobody),
        newer.unwrap(),
        news(2),
    ]
}

/// Checks that the client receives the event `news` with each of these numbers. Returns the
/// position of the first.
async fn check_received(updates: &mut Updates, expected: &[u64]) -> String {
    let mut first = None;
    for i in expected {
        let event = updates.next_event().await.unwrap();
        assert_eq!(event.data["i"], Value::from(*i));
        first = first.or(event.at);
    }
    first.unwrap()
}

#[tokio::test]
async fn events_follow_control_entries_also_when_the_log_is_opened_again() {
    let place = InFile::new();
    let server = server_on(&place.path).await;
    let (client, mut updates) = server.client(Role::Admin, "a1").await;
    client.join_order("o1").await.unwrap();
    let realtime = server.realtime();
    realtime.publish(vec![news(0)]).await.unwrap();
    realtime.publish(controls_between_events()).await.unwrap();
    let first = check_received(&mut updates, &[0, 1, 2]).await;
    server.stop().await;

    let server = server_on(&place.path).await;
    let resumed = server.client_builder(Role::Admin, "a1").since(first);
    let (_client, mut updates) = resumed.connect().await.unwrap();
    server.realtime().publish(vec![news(3)]).await.unwrap();
    check_received(&mut updates, &[1, 2, 3]).await;
    server.stop().await;
}
