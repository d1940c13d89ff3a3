//! A server that is killed, frozen, or not there yet.

use std::time::{Duration, Instant};

use metaia_realtime::{
    EventLog, NewEntry, Position,
    log::{LogError, Retention},
    mongo::{Deployment, Mongo, MongoLog, Options},
    testing::{mongod::Mongod, within},
};
use tokio::task::JoinSet;

use super::{all, appended, entry};
use crate::user;

/// Longer than any call may take.
const LATE: Duration = Duration::from_millis(5_500);

/// What was asked for, and what came of it.
type Outcome = (NewEntry, Result<Position, LogError>);

/// Appends, each by itself and in time.
fn appending(log: &MongoLog, count: u64) -> JoinSet<Outcome> {
    let mut writers = JoinSet::new();
    for i in 0..count {
        let (log, new) = (log.clone(), entry(user("c1"), i));
        writers.spawn(async move {
            let begun = Instant::now();
            let answered = log
                .append(vec![new.clone()])
                .await
                .map(|positions| positions[0]);
            assert!(
                begun.elapsed() < LATE,
                "an append took {:?}",
                begun.elapsed()
            );
            (new, answered)
        });
    }
    writers
}

/// What was answered is there, what was refused is not, and nothing is there twice; whoever does
/// not know tries again.
async fn check(log: &MongoLog, outcomes: Vec<Outcome>) {
    let entries = all(log).await;
    assert_eq!(
        entries.iter().map(|entry| entry.n()).collect::<Vec<_>>(),
        (1..=entries.len() as u64).collect::<Vec<_>>()
    );
    for (new, answered) in outcomes {
        let found: Vec<_> = entries
            .iter()
            .filter(|entry| entry.content().id() == new.id())
            .collect();
        let at = found.first().map(|entry| entry.position());
        assert!(found.len() <= 1, "{new:?} is there {} times", found.len());
        match answered {
            Ok(position) => assert_eq!(at, Some(position)),
            Err(LogError::Unavailable(_)) => assert_eq!(at, None, "{new:?} was refused"),
            Err(_) => {
                let again = log.append(vec![new]).await.unwrap()[0];
                assert!(at.is_none_or(|at| at == again));
            }
        }
    }
}

/// When the log answers again.
async fn back(log: &MongoLog) {
    within("the log to come back", async {
        while log.append(vec![entry(user("c2"), 0)]).await.is_err() {}
    })
    .await;
}

async fn served_by(server: &Mongod) -> MongoLog {
    let mongo = Mongo::open(&server.uri("log"), Options::default())
        .await
        .unwrap();
    MongoLog::open(&mongo, Retention::DISK)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_later_is_used_when_it_comes() {
    let mut server = Mongod::start(Deployment::ReplicaSet);
    server.kill();
    let log = served_by(&server).await;
    let begun = Instant::now();
    assert!(matches!(
        log.append(vec![entry(user("c1"), 1)]).await,
        Err(LogError::Unavailable(_))
    ));
    assert!(log.head().await.is_err() && !log.is_ready());
    assert!(begun.elapsed() < LATE * 2);
    server.run();
    within("the log to be ready", log.ready()).await.unwrap();
    assert_eq!(appended(&log, user("c1"), 2).await.n(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_keeps_nobody_waiting() {
    let server = Mongod::start(Deployment::ReplicaSet);
    let log = served_by(&server).await;
    log.ready().await.unwrap();
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        let mut writers = appending(&log, 300);
        outcomes.push(writers.join_next().await.unwrap().unwrap());
        server.freeze();
        let begun = Instant::now();
        outcomes.extend(writers.join_all().await);
        outcomes.extend(appending(&log, 5).join_all().await);
        assert!(log.head().await.is_err());
        assert!(begun.elapsed() < LATE * 3);
        server.thaw();
        back(&log).await;
    }
    assert!(outcomes.iter().any(|(_, answered)| answered.is_err()));
    check(&log, outcomes).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_nothing_that_was_answered() {
    let mut server = Mongod::start(Deployment::ReplicaSet);
    let log = served_by(&server).await;
    log.ready().await.unwrap();
    let mut outcomes = Vec::new();
    for round in 0..3 {
        let mut writers = appending(&log, 400);
        for _ in 0..=round * 40 {
            outcomes.push(writers.join_next().await.unwrap().unwrap());
        }
        server.kill();
        outcomes.extend(writers.join_all().await);
        server.run();
        back(&log).await;
    }
    check(&log, outcomes).await;
}
