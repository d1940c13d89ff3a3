//! Drain on SIGTERM: the server accepts no new clients, sends the connected clients what was
//! published and `rt:drain`, and the clients reconnect by themselves.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use metaia_tests::clients::driver::Driver;
use metaia_tests::clients::phone::Phone;
use metaia_tests::clients::polling::HANDSHAKE;
use metaia_tests::clients::way::{Reached, Way};
use metaia_tests::eventually::eventually;
use metaia_tests::faults::forwarder::Forwarder;
use metaia_tests::fixtures::seeded_rng::SeededRng;
use metaia_tests::fixtures::token::token;
use metaia_tests::fixtures::{emit, raise_fence};
use metaia_tests::server::paths::python;
use metaia_tests::server::ports::Port;
use metaia_tests::server::{Listening as _, Server, Setup};
use serde_json::{Value, json};

use crate::run::Run;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_with_sigterm_under_load_lose_nothing() {
    let (mut rng, seed) = SeededRng::random();
    let mut run = Run::start(Setup::new()).await;
    for _ in 0..4 {
        run.wait_for_traffic(&mut rng).await;
        run.restart_with_sigterm().await;
        run.heal().await;
    }
    assert_eq!(
        run.judge(&format!("seed {seed}")).await,
        0,
        "a drain is no reason to reset a client"
    );
}

/// Connects a phone through a frozen forwarder and sends more than the connection can buffer. A
/// drain waits for such a client for a while.
pub(crate) async fn frozen_phone(server: &Server) -> (Forwarder, Phone) {
    let forwarder = Forwarder::to(server).await;
    let phone = Phone::ready_as(&forwarder, "customer", "frozen").await;
    forwarder.freeze();
    for _ in 0..50 {
        emit(
            server,
            &json!({"user": "frozen"}),
            "load",
            &json!({"text": "x".repeat(8_000)}),
        )
        .await;
    }
    (forwarder, phone)
}

#[tokio::test]
async fn a_draining_server_is_not_ready_and_refuses_new_clients() {
    let server = Server::start().await;
    let api = server.anonymous();
    api.get("/readyz").await.ok(200);
    let _frozen = frozen_phone(&server).await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    server.signal("TERM").await;
    assert!(phone.event("rt:drain").await["retryInMs"].is_u64());
    let not_ready = api.get("/readyz").await;
    assert_eq!(not_ready.status, 503, "{not_ready:#?}");
    api.get("/livez").await.ok(200);
    let refused = Phone::open_with(&server, &[])
        .await
        .expect_err("no new clients");
    assert_eq!(refused.status, 503);
    assert!(refused.retry_after.is_some(), "{refused:?}");
    assert_eq!(api.get(HANDSHAKE).await.status, 503);
    let elsewhere = format!("{HANDSHAKE}&sid=AAAAAAAAAAAAAAAA");
    assert_eq!(
        api.get(&elsewhere).await.status,
        503,
        "a proxy must try the node that has this session"
    );
    phone.closed().await;
    server.wait_for_clean_exit().await;
}

#[tokio::test]
async fn events_before_a_drain_arrive_before_its_end_or_after_the_reconnect() {
    let server = Setup::new().with_fixed_port().start().await;
    let mut phones = Vec::new();
    for way in Way::ALL {
        let reached = Reached::by(way, Port(server.port()));
        let phone = Phone::ready_as(&reached, "customer", "c1").await;
        phones.push((reached, phone));
    }
    let mut sent = Vec::new();
    for n in 0..200 {
        emit(&server, &json!({"user": "c1"}), "load", &json!({"n": n})).await;
        sent.push(json!(n));
    }
    let reading = phones.into_iter().map(async |(reached, mut phone)| {
        let events = phone.closed().await;
        (reached, events)
    });
    let (setup, received) = tokio::join!(server.stop(), join_all(reading));
    let _server = setup.start().await;
    for (reached, mut events) in received {
        assert!(events.iter().any(|event| event.name == "rt:drain"));
        let last = events.iter().rfind(|event| !event.at().is_empty());
        let last = last.map(|event| json!(event.at()));
        let auth = json!({"token": token("customer", "c1"), "since": last});
        let mut phone = Phone::connected(&reached, &auth).await;
        events.extend(phone.until("rt:ready").await);
        let got = events.iter().filter(|event| event.name == "load");
        let got: Vec<_> = got.map(|event| event.data["n"].clone()).collect();
        assert_eq!(got, sent, "{reached:?}");
    }
}

/// Restarts the server twice with SIGTERM under an official client with default options.
async fn reconnects_after_restarts(mut driver: Driver) {
    let mut server = Setup::new().with_fixed_port().start().await;
    let opts = json!({"auth": {"token": token("customer", "c1"), "device": "d1"}});
    driver.connect_with("phone", &server, &opts).await;
    driver.event("phone", "rt:ready").await;
    for time in 1..=2 {
        let setup = server.stop().await;
        driver.nth("phone", "rt:drain", time).await;
        let reason = driver.nth("phone", "disconnect", time).await;
        assert_ne!(reason, "io server disconnect", "clients would stay away");
        server = setup.start().await;
        emit(
            &server,
            &json!({"user": "c1"}),
            "load",
            &json!({"time": time}),
        )
        .await;
        assert_eq!(
            driver.nth("phone", "rt:ready", 1 + time).await["recovered"],
            true
        );
    }
    raise_fence(&server).await;
    driver.event("phone", "test:fence").await;
    assert_eq!(driver.count("phone", "rt:reset"), 0);
    // An event whose receipt is not certain may be sent again, with the same id.
    let mut ids = std::collections::BTreeSet::new();
    let events = driver.events("phone").into_iter();
    let fresh = events
        .filter(|event| event.name == "load" && ids.insert(event.data["_rt"]["id"].to_string()));
    assert_eq!(
        fresh
            .map(|event| event.data["time"].clone())
            .collect::<Vec<_>>(),
        [1, 2]
    );
}

#[tokio::test]
async fn the_javascript_client_reconnects_by_itself() {
    reconnects_after_restarts(Driver::node()).await;
}

#[tokio::test]
async fn the_python_client_reconnects_by_itself() {
    reconnects_after_restarts(Driver::python()).await;
}

#[tokio::test]
async fn a_second_sigterm_ends_the_drain_at_once() {
    let server = Setup::new().env("METAIA_DRAIN_MS", "9000").start().await;
    let _frozen = frozen_phone(&server).await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    server.signal("TERM").await;
    phone.event("rt:drain").await;
    let asked = Instant::now();
    server.signal("TERM").await;
    server.wait_for_output("SIGTERM again").await;
    server.wait_for_clean_exit().await;
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "it took {:?}",
        asked.elapsed()
    );
}

#[tokio::test]
async fn a_client_that_never_reads_does_not_delay_the_drain_for_long() {
    let server = Server::start().await;
    let (forwarder, frozen) = frozen_phone(&server).await;
    let asked = Instant::now();
    server.signal("TERM").await;
    server.wait_for_clean_exit().await;
    assert!(
        asked.elapsed() < Duration::from_secs(15),
        "it took {:?}",
        asked.elapsed()
    );
    drop((forwarder, frozen));
}

#[tokio::test]
async fn every_order_that_is_acknowledged_during_a_drain_is_stored() {
    let server = Setup::new().with_fixed_port().start().await;
    let customer = server.api("customer", "c1");
    let body = metaia_tests::fixtures::order_body();
    let mut answered: Vec<Value> = Vec::new();
    let placing = async {
        while let Some(answer) = customer.try_post("/api/orders", &body).await {
            match answer.status {
                201 => answered.push(answer.data(201)["order"].take()),
                503 => break,
                _ => panic!("{answer:#?}"),
            }
        }
    };
    let admin = server.admin();
    let stopping = async {
        eventually("some orders", async || {
            let orders = admin.get("/api/orders").await.data(200);
            (orders["orders"].as_array().unwrap().len() >= 10).then_some(())
        })
        .await;
        server.stop().await
    };
    let ((), setup) = tokio::join!(placing, stopping);
    let server = setup.start().await;
    for order in &answered {
        let id = metaia_tests::fixtures::id_of(order);
        assert_eq!(
            server
                .admin()
                .get(&format!("/api/orders/{id}"))
                .await
                .data(200)["order"],
            *order
        );
    }
}

/// Returns the time at which the server last stored the record of a device of `c1`, in ms since the
/// Unix epoch.
fn stored_at(setup: &Setup) -> i64 {
    let read = "import sqlite3, sys; \
        db = sqlite3.connect(sys.argv[1]); \
        print(db.execute(\"SELECT at FROM rt_device WHERE key LIKE 'c1 %'\").fetchone()[0])";
    let database = setup.folder().join("data").join("metaia.db");
    let output = std::process::Command::new(python())
        .args(["-c", read])
        .arg(database)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().unwrap_or_else(|_| panic!("{output:?}"))
}

/// A session on a frozen line is not finished by then. What devices have received is stored all the
/// same.
#[tokio::test]
async fn device_positions_are_stored_however_short_the_drain_is() {
    let server = Setup::new().env("METAIA_DRAIN_MS", "200").start().await;
    let _held = frozen_phone(&server).await;
    let auth = json!({"token": token("customer", "c1"), "device": "d1"});
    let mut phone = Phone::connected(&server, &auth).await;
    phone.event("rt:ready").await;
    emit(&server, &json!({"user": "c1"}), "load", &json!({"n": 1})).await;
    phone.event("load").await;
    let connected = stored_at(server.setup());
    let asked = Instant::now();
    let setup = server.stop().await;
    assert!(
        asked.elapsed() < Duration::from_secs(6),
        "{:?}",
        asked.elapsed()
    );
    assert!(
        stored_at(&setup) > connected,
        "nothing was stored at the end"
    );
}
