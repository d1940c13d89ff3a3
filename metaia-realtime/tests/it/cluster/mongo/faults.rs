//! A MongoDB server that is killed, frozen, or not started yet.

use std::time::{Duration, Instant};

use metaia_realtime::{
    EventLog, NewEntry, Position,
    log::{LogError, Retention},
    mongo::{Deployment, Mongo, MongoLog, MongoOptions},
    testing::{mongod::Mongod, within},
};
use tokio::task::JoinSet;

use super::{all_entries, append, entry};
use crate::support::user;

/// A call to the log may not take longer than this.
const MAX_CALL: Duration = Duration::from_millis(5_500);

/// An entry, and the result of its append.
type Append = (NewEntry, Result<Position, LogError>);

/// Appends `count` entries in a task each, and checks that no append takes too long.
fn start_appends(log: &MongoLog, count: u64) -> JoinSet<Append> {
    let mut writers = JoinSet::new();
    for i in 0..count {
        let log = log.clone();
        let new = entry(user("c1"), i);
        writers.spawn(async move {
            let begun = Instant::now();
            let result = log
                .append(vec![new.clone()])
                .await
                .map(|positions| positions[0]);
            assert!(
                begun.elapsed() < MAX_CALL,
                "an append took {:?}",
                begun.elapsed()
            );
            (new, result)
        });
    }
    writers
}

/// Checks that the log has the acknowledged entries and not the refused ones, and none twice. If
/// the result of an append is unknown, repeats it: the entry must keep its position.
async fn check(log: &MongoLog, appends: Vec<Append>) {
    let entries = all_entries(log).await;
    assert_eq!(
        entries.iter().map(|entry| entry.n()).collect::<Vec<_>>(),
        (1..=entries.len() as u64).collect::<Vec<_>>()
    );
    for (new, result) in appends {
        let found: Vec<_> = entries
            .iter()
            .filter(|entry| entry.content().id() == new.id())
            .collect();
        let at = found.first().map(|entry| entry.position());
        assert!(
            found.len() <= 1,
            "the log has {new:?} {} times",
            found.len()
        );
        match result {
            Ok(position) => assert_eq!(at, Some(position)),
            Err(LogError::Unavailable(_)) => assert_eq!(at, None, "{new:?} was refused"),
            Err(_) => {
                let again = log.append(vec![new]).await.unwrap()[0];
                assert!(at.is_none_or(|at| at == again));
            }
        }
    }
}

/// Waits until the log can be written again.
async fn wait_until_writable(log: &MongoLog) {
    within("the log to be writable", async {
        while log.append(vec![entry(user("c2"), 0)]).await.is_err() {}
    })
    .await;
}

/// Opens the log of a server, without waiting for it.
async fn open_log(server: &Mongod) -> MongoLog {
    let mongo = Mongo::open(&server.uri("log"), MongoOptions::default())
        .await
        .unwrap();
    MongoLog::open(&mongo, Retention::DISK)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_later_is_used_once_it_runs() {
    let mut server = Mongod::start(Deployment::ReplicaSet);
    server.kill();
    let log = open_log(&server).await;
    let begun = Instant::now();
    assert!(matches!(
        log.append(vec![entry(user("c1"), 1)]).await,
        Err(LogError::Unavailable(_))
    ));
    assert!(log.head().await.is_err() && !log.is_ready());
    assert!(begun.elapsed() < MAX_CALL * 2);
    server.run();
    within("the log to be ready", log.ready()).await.unwrap();
    assert_eq!(append(&log, user("c1"), 2).await.n(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_blocks_no_caller() {
    let server = Mongod::start(Deployment::ReplicaSet);
    let log = open_log(&server).await;
    log.ready().await.unwrap();
    let mut appends = Vec::new();
    for _ in 0..2 {
        let mut writers = start_appends(&log, 300);
        appends.push(writers.join_next().await.unwrap().unwrap());
        server.freeze();
        let begun = Instant::now();
        appends.extend(writers.join_all().await);
        appends.extend(start_appends(&log, 5).join_all().await);
        assert!(log.head().await.is_err());
        assert!(begun.elapsed() < MAX_CALL * 3);
        server.thaw();
        wait_until_writable(&log).await;
    }
    assert!(appends.iter().any(|(_, result)| result.is_err()));
    check(&log, appends).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_no_acknowledged_entry() {
    let mut server = Mongod::start(Deployment::ReplicaSet);
    let log = open_log(&server).await;
    log.ready().await.unwrap();
    let mut appends = Vec::new();
    for round in 0..3 {
        let mut writers = start_appends(&log, 400);
        for _ in 0..=round * 40 {
            appends.push(writers.join_next().await.unwrap().unwrap());
        }
        server.kill();
        appends.extend(writers.join_all().await);
        server.run();
        wait_until_writable(&log).await;
    }
    check(&log, appends).await;
}
