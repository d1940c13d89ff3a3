//! Nodes of an earlier version and of this one share a log.
//!
//! `METAIA_OLD_SERVER` names the server of the earlier version, which `cargo xtask upgrade`
//! builds. Without it all nodes are of this version: then these are tests of a plain restart.

use std::time::Duration;

use metaia_tests::clients::phone::Phone;
use metaia_tests::eventually::eventually;
use metaia_tests::faults::cluster::{Database, Nodes, Redis, node};
use metaia_tests::fixtures::razorpay::webhook_body;
use metaia_tests::fixtures::token::token;
use metaia_tests::fixtures::{
    assign, deliver_webhook, emit, id_of, names, open_payment, order_body, place_order,
    place_order_at, verification,
};
use metaia_tests::server::Server;
use metaia_tests::server::paths::binary;
use metaia_tests::upgrade::old_server;
use serde_json::json;

use crate::cluster::Pair;
use crate::cluster::fleet::Fleet;

/// The first node returns to the earlier version once before all are replaced.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_to_this_version_loses_nothing() {
    let (database, redis) = tokio::join!(Database::new(), Redis::start());
    let new = binary("metaia-server");
    let old = old_server().unwrap_or_else(|| new.clone());
    let mut steps = vec![(0, &new), (1, &new), (2, &new)];
    if old != new {
        steps.splice(..0, [(0, &new), (0, &old)]);
    }
    let earlier = || node(&database.uri(), Some(&redis)).program(&old);
    let setups = vec![earlier(), earlier(), earlier()];
    let mut fleet = Fleet::start(Nodes::start_all(setups).await).await;
    for (node, program) in steps {
        fleet.run_for(Duration::from_millis(500)).await;
        fleet.note_slowdown(&format!("SIGTERM to node {node}"));
        fleet.nodes.stop(node).await;
        fleet.nodes.restart_as(node, program).await;
        fleet.nodes[node].ready().await;
    }
    fleet.heal().await;
    assert_eq!(
        fleet.judge("rolling restart").await,
        0,
        "a restart is no reason to reset a client"
    );
}

/// Returns the formats that the nodes announce, as this node sees them.
async fn formats(server: &Server) -> Vec<u64> {
    let stats = server.admin().get("/api/realtime/stats").await.data(200);
    let nodes = stats["nodes"].as_array().expect("nodes").iter();
    let mut formats: Vec<u64> = nodes.map(|node| node["format"].as_u64().unwrap()).collect();
    formats.sort_unstable();
    formats
}

#[tokio::test]
async fn a_node_knows_which_formats_the_others_read() {
    let Pair { nodes, .. } = &Pair::start().await;
    let expected = match old_server() {
        Some(_) => [0, 1],
        None => [1, 1],
    };
    eventually("both nodes to have a lease", async || {
        (formats(&nodes[1]).await == expected).then_some(())
    })
    .await;
}

/// Returns the public id of the user's one session, as this node sees it.
async fn session_of(server: &Server, user: &str) -> String {
    let path = format!("/api/realtime/sessions?user={user}");
    eventually("the session to be announced", async || {
        let found = server.admin().get(&path).await.data(200);
        found["sessions"][0]["id"].as_str().map(str::to_owned)
    })
    .await
}

/// Checks everything that nodes tell each other, from one node to the other.
async fn is_understood(from: &Server, to: &Server, user: &str, tailor: &str) {
    let order = place_order_at(from, user, tailor).await;
    let id = id_of(&order);
    let mut phone = Phone::ready_as(to, "customer", user).await;
    let auth = json!({"token": token("tailor", tailor), "orders": [id]});
    let mut bench = Phone::ready_with(to, &auth).await;

    emit(from, &json!({"user": user}), "load", &json!({"n": 1})).await;
    assert_eq!(phone.event("load").await["n"], 1);
    let place = json!({"to": {"user": user}, "event": "place", "data": {"x": 1}, "volatile": true});
    let sent = from.admin().post("/api/realtime/emit", &place).await;
    sent.ok(202);
    assert_eq!(phone.event("place").await, json!({"x": 1}));
    keyed_events_are_understood(from, user, &mut phone).await;

    assign(from, id, &json!({"tailor": "t9"})).await;
    let left = bench.event("rt:room_left").await;
    assert_eq!(left["room"], format!("order-{id}"));
    emit(from, &json!({"user": user}), "load", &json!({"n": 2})).await;
    let events = phone.until("load").await;
    let names = names(&events);
    assert!(
        !names.contains(&"rt:reset"),
        "no entry is unreadable: {names:?}"
    );

    let session = session_of(from, user).await;
    let path = format!("/api/realtime/sessions/{session}");
    from.admin().send("DELETE", &path, None).await.ok(200);
    phone.closed().await;
}

/// Checks that the other node delivers volatile events with a key, if this node knows keys.
async fn keyed_events_are_understood(from: &Server, user: &str, phone: &mut Phone) {
    let place = json!({
        "to": {"user": user}, "event": "place", "data": {"x": 2}, "volatile": true, "key": "d1",
    });
    let sent = from.admin().post("/api/realtime/emit", &place).await;
    if sent.status == 422 {
        assert!(
            old_server().is_some(),
            "only the earlier version refuses a key"
        );
        return;
    }
    sent.ok(202);
    assert_eq!(phone.event("place").await, json!({"x": 2}));
}

/// Checks that a payment which one node opens and moves is read and moved on by the other.
async fn a_payment_is_understood(from: &Server, to: &Server, user: &str) {
    let order = place_order(from, user).await;
    let payment = open_payment(&from.api("customer", user), id_of(&order)).await;
    let report = async |event, attempt| {
        let body = webhook_body(event, attempt, &payment);
        assert_eq!(deliver_webhook(from, &body).await, "applied", "{event}");
    };
    report("payment.failed", "pay_A").await;
    let customer = to.api("customer", user);
    let checkout = verification(&payment, "pay_B");
    let paid = customer.post("/api/payments/verify", &checkout).await;
    let paid = paid.data(200)["payment"].take();
    assert_eq!(paid["status"], "completed");
    assert_eq!(paid["razorpayPaymentId"], "pay_B");
    report("refund.processed", "pay_B").await;
    let closed = customer.post("/api/payments/verify", &checkout).await;
    closed.refused_as(409, "payment_closed");
}

#[tokio::test]
async fn payments_are_read_and_moved_by_nodes_of_both_versions() {
    let Pair { nodes, .. } = &Pair::start().await;
    a_payment_is_understood(&nodes[0], &nodes[1], "c1").await;
    a_payment_is_understood(&nodes[1], &nodes[0], "c2").await;
    // The node of this version lists what the other one has only named.
    let listed = nodes[1].admin().get("/api/payments").await.data(200);
    for payment in listed["payments"].as_array().unwrap() {
        assert_eq!(payment["status"], "refunded");
        let attempts = payment["attempts"].as_array().unwrap().iter();
        let last = attempts.last().map(|last| (&last["id"], &last["status"]));
        assert_eq!(last, Some((&json!("pay_B"), &json!("refunded"))));
    }
}

/// Places an order at one node under a key, and repeats the request at the other.
async fn is_repeated(at: &Server, then_at: &Server, key: &str) {
    let keyed = |server: &Server| server.api("customer", "c1").header("idempotency-key", key);
    let first = keyed(at).post("/api/orders", &order_body()).await;
    first.ok(201);
    let again = keyed(then_at).post("/api/orders", &order_body()).await;
    assert_eq!(again.header("idempotency-replayed"), "true", "{again:#?}");
    assert_eq!(again.text, first.text);
    assert_eq!(again.header("etag"), first.header("etag"));
}

#[tokio::test]
async fn a_node_of_either_version_gives_the_replies_that_the_other_stored() {
    let Pair { nodes, .. } = &Pair::start().await;
    is_repeated(&nodes[0], &nodes[1], "k-1").await;
    is_repeated(&nodes[1], &nodes[0], "k-2").await;
}

#[tokio::test]
async fn nodes_of_both_versions_understand_each_other() {
    let Pair { nodes, .. } = &Pair::start().await;
    is_understood(&nodes[0], &nodes[1], "c1", "t1").await;
    is_understood(&nodes[1], &nodes[0], "c2", "t2").await;
}
