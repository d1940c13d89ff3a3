//! A node that is the only one without a connection to MongoDB. It acknowledges nothing, keeps its
//! clients for a grace period, and then disconnects them, so that they reconnect to a node that
//! still works.

use std::time::{Duration, Instant};

use metaia_tests::clients::phone::Phone;
use metaia_tests::eventually::eventually;
use metaia_tests::faults::cluster::{Net, Nodes, Redis, ReplicaSet, node};
use metaia_tests::fixtures::token::token;
use metaia_tests::fixtures::{emit, order_body};
use metaia_tests::server::{Server, Setup};
use serde_json::json;
use tokio::time::{interval, timeout};

/// The latest moment at which its sessions have ended, after the cut.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// The delay that a busy machine may add.
const SLACK: Duration = Duration::from_secs(5);

struct World {
    nodes: Nodes,
    redis: Redis,
    set: ReplicaSet,
    net: Net,
}

impl World {
    /// Starts MongoDB, Redis and two nodes, on the hosts 0, 1, 2 and 3.
    async fn start() -> Option<Self> {
        let world = Self::with(|uri, redis| node(uri, Some(redis))).await?;
        world.redis.await_subscribers(2).await;
        Some(world)
    }

    async fn with(setup: impl Fn(&str, &Redis) -> Setup) -> Option<Self> {
        let net = Net::new(4)?;
        let (set, redis) = tokio::join!(
            ReplicaSet::start_on(vec![net.host(0)]),
            Redis::start_on(net.host(1), None)
        );
        let setups = [2, 3].map(|host| setup(&set.uri("metaia"), &redis).on_host(net.host(host)));
        let nodes = Nodes::start_all(setups.into()).await;
        nodes.ready().await;
        Some(Self {
            nodes,
            redis,
            set,
            net,
        })
    }
}

/// Emits an event every 200 ms, for ever.
async fn keep_emitting(server: &Server) {
    let mut pace = interval(Duration::from_millis(200));
    for n in 0.. {
        pace.tick().await;
        emit(server, &json!({"user": "c1"}), "load", &json!({"n": n})).await;
    }
}

#[tokio::test]
async fn a_node_that_alone_is_cut_off_disconnects_its_clients() {
    let Some(world) = World::start().await else {
        return;
    };
    let [cut_off, other] = [&world.nodes[0], &world.nodes[1]];
    let mut auth = json!({"token": token("customer", "c1")});
    let mut phone = Phone::ready_with(cut_off, &auth).await;
    emit(
        other,
        &json!({"user": "c1"}),
        "load",
        &json!({"n": "before"}),
    )
    .await;
    let before = phone.until("load").await.pop().unwrap();
    auth["since"] = json!(before.at());

    world.net.cut(&world.net.host(2), &world.net.host(0));
    let cut = Instant::now();
    let admin = cut_off.admin();
    let data = json!({"n": "from the node that is cut off"});
    let body = json!({"to": {"user": "c1"}, "event": "load", "data": data});
    let refused = async {
        admin.post("/api/realtime/emit", &body).await.refused(503);
        cut_off
            .api("customer", "c1")
            .post("/api/orders", &order_body())
            .await
            .refused(503);
        let mut last = None;
        while let Some(event) = phone.next_or_end().await {
            let is_ours = ["rt:position", "rt:end"].contains(&event.name.as_str());
            assert!(is_ours, "no event of the log arrives: {event:?}");
            last = Some(event);
        }
        assert_eq!(last.unwrap().data, json!({"code": "unavailable"}));
        let after = cut.elapsed();
        assert!(
            after > Duration::from_secs(10) && after < DISCONNECT_TIMEOUT + SLACK,
            "disconnected after {after:?}"
        );
        let refusal = Phone::open_with(cut_off, &[])
            .await
            .map(drop)
            .expect_err("no new clients");
        assert_eq!(refusal.status, 503);
    };
    tokio::select! {
        () = refused => (),
        () = keep_emitting(other) => unreachable!("it goes on for ever"),
    }

    let mut phone = Phone::connected(other, &auth).await;
    let events = phone.until("rt:ready").await;
    let ready = events.last().unwrap();
    assert_eq!(ready.data["recovered"], true);
    let numbers: Vec<_> = events
        .iter()
        .filter(|event| event.name == "load")
        .map(|event| &event.data["n"])
        .collect();
    assert!(numbers.len() > 10, "{numbers:?}");
    assert!(
        numbers
            .iter()
            .enumerate()
            .all(|(index, n)| **n == json!(index)),
        "every event, in order: {numbers:?}"
    );

    world.net.heal(&world.net.host(2), &world.net.host(0));
    cut_off.ready().await;
    let mut back = eventually("clients to be accepted again", async || {
        let mut phone = Phone::open_with(cut_off, &[]).await.ok()?;
        phone
            .connect(&json!({"token": token("customer", "c1")}))
            .await
            .ok()?;
        phone.until("rt:ready").await;
        Some(phone)
    })
    .await;
    emit(
        other,
        &json!({"user": "c1"}),
        "load",
        &json!({"n": "after"}),
    )
    .await;
    assert_eq!(back.event("load").await["n"], "after");
    assert!(world.redis.command("PING").await.is_some() && world.set.member(0).runs());
}

/// Without Redis the node cannot know that the other one still works.
#[tokio::test]
async fn without_redis_a_node_that_is_cut_off_keeps_its_clients() {
    let Some(world) = World::with(|uri, _| node(uri, None)).await else {
        return;
    };
    let [cut_off, other] = [&world.nodes[0], &world.nodes[1]];
    let mut phone = Phone::ready_as(cut_off, "customer", "c1").await;
    world.net.cut(&world.net.host(2), &world.net.host(0));
    emit(other, &json!({"user": "c1"}), "load", &json!({"n": 1})).await;
    let nothing = timeout(DISCONNECT_TIMEOUT + SLACK, phone.next_or_end()).await;
    assert!(
        nothing.is_err(),
        "no event arrives, and no client is disconnected: {nothing:?}"
    );
    world.net.heal(&world.net.host(2), &world.net.host(0));
    assert_eq!(phone.event("load").await["n"], 1, "on the same connection");
}

#[tokio::test]
async fn a_short_cut_disconnects_no_client() {
    let Some(world) = World::start().await else {
        return;
    };
    let [cut_off, other] = [&world.nodes[0], &world.nodes[1]];
    let mut phone = Phone::ready_as(cut_off, "customer", "c1").await;
    world.net.cut(&world.net.host(2), &world.net.host(0));
    emit(other, &json!({"user": "c1"}), "load", &json!({"n": 1})).await;
    let nothing = timeout(Duration::from_secs(8), phone.next_or_end()).await;
    assert!(
        nothing.is_err(),
        "no event arrives, and no client is disconnected: {nothing:?}"
    );
    world.net.heal(&world.net.host(2), &world.net.host(0));
    assert_eq!(phone.event("load").await["n"], 1, "on the same connection");
    eventually("writes to be accepted again", async || {
        let body = json!({"to": {"user": "c1"}, "event": "load", "data": {"n": 2}});
        let answer = cut_off
            .admin()
            .try_post("/api/realtime/emit", &body)
            .await?;
        (answer.status == 202).then_some(())
    })
    .await;
    assert_eq!(phone.event("load").await["n"], 2);
}
