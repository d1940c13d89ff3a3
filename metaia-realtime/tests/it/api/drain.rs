//! A drain has one deadline, after which the positions of devices are stored in any case.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::Router;
use futures_util::FutureExt as _;
use metaia_realtime::{
    Position, Realtime, Role,
    client::{Client, Transport},
    device::{Claimant, ClaimedRecords, DeviceError, DeviceKey, DeviceRecord, DeviceStore},
    testing::TestServer,
    values::NodeId,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::{Anyone, connect, disconnected, event, on_each_transport, tick, user};

on_each_transport! {
    #[tokio::test]
    a_session_that_is_not_finished_by_the_deadline_ends_as_draining,
    a_drain_that_was_dropped_is_finished_by_the_next_call,
}

/// A store that keeps all that is saved.
#[derive(Clone, Default)]
struct SavedRecords(Arc<Mutex<Vec<(DeviceKey, DeviceRecord)>>>);

impl SavedRecords {
    fn positions(&self) -> Vec<Position> {
        self.0
            .lock()
            .unwrap()
            .iter()
            .map(|(_, record)| record.position)
            .collect()
    }
}

impl DeviceStore for SavedRecords {
    fn serve(&self, _: NodeId) {}

    async fn claim(&self, _: &DeviceKey, _: Claimant) -> Result<ClaimedRecords, DeviceError> {
        Ok(ClaimedRecords::default())
    }

    async fn save(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), DeviceError> {
        self.0.lock().unwrap().extend(records);
        Ok(())
    }

    async fn leave(&self, records: Vec<(DeviceKey, DeviceRecord)>) -> Result<(), DeviceError> {
        self.save(records).await
    }
}

/// Serves, lets a client of a device receive events, and stops with `deadline`.
async fn last_saved(deadline: Duration) -> (Option<Position>, Position) {
    let store = SavedRecords::default();
    let realtime = Realtime::builder()
        .authenticator(Anyone)
        .device_store(store.clone())
        .build()
        .await
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let serving = metaia_realtime::serve(listener, Router::new(), realtime.clone())
        .with_shutdown(stop.clone().cancelled_owned())
        .with_drain(deadline);
    let tasks = tokio_util::task::TaskTracker::new();
    let serving = tasks.spawn(serving.into_future());

    let client = Client::builder(url).token("any").device("d1");
    let (_client, mut updates) = client.connect().await.unwrap();
    tick(&realtime, user("c1"), 1).await;
    let at = event(&mut updates, "tick").await.data["_rt"]["at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();

    stop.cancel();
    let began = Instant::now();
    serving.await.unwrap();
    assert!(
        began.elapsed() < deadline + Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    (store.positions().last().copied(), at)
}

#[tokio::test]
async fn device_positions_are_stored_after_a_drain_without_any_time() {
    let (saved, received) = last_saved(Duration::ZERO).await;
    assert!(
        saved.is_some_and(|saved| saved.n() <= received.n()),
        "{saved:?} {received:?}"
    );
}

#[tokio::test]
async fn device_positions_are_stored_after_a_drain_with_time() {
    let (saved, received) = last_saved(Duration::from_secs(5)).await;
    assert!(
        saved.is_some_and(|saved| saved.n() <= received.n()),
        "{saved:?} {received:?}"
    );
}

async fn a_session_that_is_not_finished_by_the_deadline_ends_as_draining(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let (_client, mut updates) = connect(&server, transport, Role::Customer, "c1").await;
    server.realtime().drain(Duration::ZERO).await;
    disconnected(&mut updates).await;
    assert_eq!(server.realtime().stats().ends["draining"], 1);
    assert!(server.realtime().local_sessions().is_empty());
}

async fn a_drain_that_was_dropped_is_finished_by_the_next_call(transport: Transport) {
    let server = TestServer::start(|builder| builder).await;
    let (_client, _updates) = connect(&server, transport, Role::Customer, "c1").await;
    let realtime = server.realtime();
    let first = realtime.drain(Duration::from_secs(5)).now_or_never();
    assert_eq!(first, None, "it has not finished at once");
    realtime.drain(Duration::from_secs(5)).await;
    assert!(realtime.local_sessions().is_empty());
    assert_eq!(realtime.stats().ends["draining"], 1);
}

#[tokio::test]
async fn without_a_shutdown_signal_the_server_runs_until_it_is_dropped() {
    let realtime = Realtime::builder()
        .authenticator(Anyone)
        .build()
        .await
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut serving =
        metaia_realtime::serve(listener, Router::new(), realtime.clone()).into_future();
    let using = async {
        let (_client, mut updates) = Client::builder(url).token("any").connect().await.unwrap();
        tick(&realtime, user("c1"), 1).await;
        event(&mut updates, "tick").await;
    };
    tokio::select! {
        () = &mut serving => panic!("the server ended by itself"),
        () = using => {}
    }
}
