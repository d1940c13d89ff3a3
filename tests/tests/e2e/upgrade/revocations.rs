//! Revoked and refreshed tokens while nodes of an earlier version are there, which know neither.

use metaia_tests::clients::phone::Phone;
use metaia_tests::faults::cluster::Nodes;
use metaia_tests::fixtures::{emit, id_of, place_order};
use metaia_tests::server::Server;
use metaia_tests::upgrade::old_server;
use serde_json::json;

use crate::cluster::Pair;
use crate::cluster::moving::{numbers, send, without_duplicates};
use crate::revocation::{orders_by, revoke, token_with};

/// The node of the earlier version, if there is one, and that of this version.
const OLD: usize = 0;
const NEW: usize = 1;

/// Checks that the node of this version refuses the token, over REST and at CONNECT.
async fn assert_refused(server: &Server, token: &str) {
    let answer = orders_by(&server.anonymous(), token).await;
    answer.refused_as(401, "token_revoked");
    let mut phone = Phone::open(server).await;
    let refused = phone.connect(&json!({"token": token})).await;
    assert_eq!(refused, Err("token_revoked".to_owned()));
}

/// Checks that each node reads an order that was placed at the other, and delivers its events.
async fn assert_shared(nodes: &Nodes, customer: &str) {
    for (from, to) in [(OLD, NEW), (NEW, OLD)] {
        let mut phone = Phone::ready_as(&nodes[to], "customer", customer).await;
        let order = place_order(&nodes[from], customer).await;
        let path = format!("/api/orders/{}", id_of(&order));
        let read = nodes[to].api("customer", customer).get(&path).await;
        assert_eq!(id_of(&read.data(200)["order"]), id_of(&order));
        emit(
            &nodes[from],
            &json!({"user": customer}),
            "load",
            &json!({"n": from}),
        )
        .await;
        assert_eq!(phone.event("load").await["n"], from);
    }
}

/// A node of the earlier version accepts revoked tokens until it is replaced, as the documentation
/// says. It goes on, also after a restart on a database with revocations.
#[tokio::test]
async fn a_node_of_the_earlier_version_goes_on_beside_revocations() {
    let Pair { nodes, .. } = &mut Pair::start().await;
    let token = token_with("customer", "c1", "t1");
    let auth = json!({"token": token});
    let mut at_old = Phone::ready_with(&nodes[OLD], &auth).await;
    let mut at_new = Phone::ready_with(&nodes[NEW], &auth).await;
    revoke(&nodes[NEW].admin(), &json!({"user": "c1"})).await;
    assert_eq!(at_new.event("rt:end").await["code"], "token_revoked");
    assert_refused(&nodes[NEW], &token).await;
    if old_server().is_some() {
        let accepted = orders_by(&nodes[OLD].anonymous(), &token).await;
        accepted.ok(200);
        emit(
            &nodes[NEW],
            &json!({"user": "c1"}),
            "load",
            &json!({"n": 7}),
        )
        .await;
        assert_eq!(at_old.event("load").await["n"], 7);
    } else {
        assert_eq!(at_old.event("rt:end").await["code"], "token_revoked");
        assert_refused(&nodes[OLD], &token).await;
    }
    assert_shared(nodes, "c2").await;

    nodes.stop(OLD).await;
    nodes.restart(OLD).await;
    nodes.ready().await;
    assert_shared(nodes, "c3").await;
    nodes.stop(NEW).await;
    nodes.restart(NEW).await;
    nodes.ready().await;
    assert_refused(&nodes[NEW], &token).await;
    assert_shared(nodes, "c4").await;
}

/// The client sends no position and no device: its record is found by the `jti` of the token that
/// it was refreshed with, by nodes of both versions.
#[tokio::test]
async fn a_refreshed_client_is_recognised_by_nodes_of_both_versions() {
    let Pair { nodes, .. } = &Pair::start().await;
    let auth = |jti| json!({"token": token_with("customer", "c1", jti)});
    let mut phone = Phone::ready_with(&nodes[NEW], &auth("t1")).await;
    send(&nodes[OLD], 1..=2).await;
    let mut received = phone.until("load").await;
    received.extend(phone.until("load").await);
    let answer = phone.call("rt:refresh", &auth("t2")).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    let mut sent = 2;
    for (left, entered) in [(NEW, OLD), (OLD, NEW)] {
        phone.drop_connection();
        nodes[left].wait_for_output("User disconnected: c1").await;
        send(&nodes[left], sent + 1..=sent + 2).await;
        sent += 2;
        phone = Phone::connected(&nodes[entered], &auth("t2")).await;
        let events = phone.until("rt:ready").await;
        let ready = &events.last().unwrap().data;
        assert_eq!(ready["recovered"], true, "from {left} to {entered}");
        received.extend(events);
        let numbers = numbers(&without_duplicates(received.clone()));
        assert_eq!(numbers, (1..=sent).collect::<Vec<_>>());
    }
    let mut stranger = Phone::connected(&nodes[OLD], &auth("t9")).await;
    let events = stranger.until("rt:ready").await;
    assert_eq!(
        numbers(&events),
        [0; 0],
        "another token has no record: it begins now"
    );
}
