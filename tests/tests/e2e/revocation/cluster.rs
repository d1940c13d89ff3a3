//! Several nodes on one MongoDB: with and without Redis, while MongoDB is away, and on a
//! standalone server.

use std::time::{Duration, Instant};

use metaia_tests::clients::phone::Phone;
use metaia_tests::clients::way::{Reached, Way};
use metaia_tests::eventually::eventually;
use metaia_tests::faults::cluster::{Database, Mongod, Nodes, Redis, ReplicaSet};
use metaia_tests::server::Server;
use serde_json::json;

use super::{orders_by, revoke, token_with};
use crate::cluster::Pair;

/// The longest time from a revocation until the sessions of every node have ended.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// Revokes the tokens of a user at one node: the sessions at both end, and both refuse the token.
async fn assert_ends_on_both(nodes: &Nodes, user: &str) {
    let token = token_with("customer", user, "t1");
    let auth = json!({"token": token});
    let mut phones = Vec::new();
    for node in 0..2 {
        for way in Way::ALL {
            let reached = Reached::by(way, &nodes[node]);
            phones.push((node, way, Phone::ready_with(&reached, &auth).await));
        }
    }
    let began = Instant::now();
    revoke(&nodes[0].admin(), &json!({"user": user})).await;
    for (node, way, mut phone) in phones {
        let end = phone.event("rt:end").await;
        assert_eq!(end["code"], "token_revoked", "{way:?} at {node}");
        assert!(began.elapsed() < END_TIMEOUT, "{way:?} at {node}");
        phone.closed().await;
    }
    for node in 0..2 {
        orders_by(&nodes[node].anonymous(), &token)
            .await
            .refused_as(401, "token_revoked");
        let mut phone = Phone::open(&nodes[node]).await;
        let refused = phone.connect(&auth).await;
        assert_eq!(refused, Err("token_revoked".to_owned()), "at {node}");
    }
}

#[tokio::test]
async fn sessions_end_on_every_node_and_a_new_node_refuses_the_token() {
    let Pair { nodes, .. } = &mut Pair::start().await;
    assert_ends_on_both(nodes, "c1").await;
    nodes.kill(1).await;
    nodes.restart(1).await;
    nodes.ready().await;
    let token = token_with("customer", "c1", "t1");
    orders_by(&nodes[1].anonymous(), &token)
        .await
        .refused_as(401, "token_revoked");
}

#[tokio::test]
async fn sessions_end_on_every_node_while_redis_is_down() {
    let (database, mut redis) = tokio::join!(Database::new(), Redis::start());
    let nodes = Nodes::start(2, &database.uri(), Some(&redis)).await;
    nodes.ready().await;
    redis.await_subscribers(2).await;
    redis.kill().await;
    assert_ends_on_both(&nodes, "c1").await;
}

#[tokio::test]
async fn sessions_end_on_every_node_without_redis_on_a_standalone_server() {
    let mongod = Mongod::standalone().await;
    let nodes = Nodes::start(2, &mongod.uri("metaia"), None).await;
    nodes.ready().await;
    assert_ends_on_both(&nodes, "c1").await;
}

async fn status_of(server: &Server, token: &str) -> u16 {
    orders_by(&server.anonymous(), token).await.status
}

/// While MongoDB is away: the sessions stay, nobody is let in after 5 s, and a revocation is
/// refused. A session whose token was revoked at another node ends when it is back.
#[tokio::test]
async fn while_mongodb_is_away_nobody_is_let_in_and_sessions_stay() {
    let set = ReplicaSet::start(1).await;
    let nodes = Nodes::start(2, &set.uri("metaia"), None).await;
    nodes.ready().await;
    let token = token_with("customer", "c1", "t1");
    let auth = json!({"token": token});
    let mut phone = Phone::ready_with(&nodes[1], &auth).await;
    set.pause().await;
    let body = json!({"user": "c1"});
    let answer = nodes[0].admin().post("/api/realtime/revoke", &body).await;
    answer.refused_as(503, "unavailable");
    eventually("a node that authenticates no client", async || {
        (status_of(&nodes[1], &token).await == 503).then_some(())
    })
    .await;
    let mut late = Phone::open(&nodes[1]).await;
    let refused = late.connect(&auth).await;
    assert_eq!(
        refused,
        Err("closed".to_owned()),
        "a client is to come back"
    );
    let answer = phone.call("rt:sync", &json!({})).await;
    assert!(
        answer["status"].is_string(),
        "the session goes on: {answer}"
    );
    set.resume().await;
    nodes.ready().await;
    // The refused request may have been carried out after all: it is repeated in any case.
    revoke_eventually(&nodes[0], &body).await;
    let end = phone.event("rt:end").await;
    assert_eq!(end["code"], "token_revoked");
}

async fn revoke_eventually(node: &Server, body: &serde_json::Value) {
    eventually("a revocation", async || {
        let answer = node.admin().post("/api/realtime/revoke", body).await;
        (answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_new_primary_knows_what_was_revoked() {
    let mut set = ReplicaSet::start(3).await;
    let nodes = Nodes::start(2, &set.uri("metaia"), None).await;
    nodes.ready().await;
    let old = token_with("customer", "c1", "t1");
    let body = json!({"user": "c1"});
    revoke(&nodes[0].admin(), &body).await;
    let primary = set.primary().await;
    set.member_mut(primary).kill().await;
    set.primary().await;
    nodes.ready().await;
    for node in 0..2 {
        // A node that has not read the revocation yet answers 503 after 5 s, and never lets it in.
        let deadline = Instant::now() + END_TIMEOUT;
        eventually("a refusal of the revoked token", async || {
            let status = status_of(&nodes[node], &old).await;
            assert!(status != 200 || Instant::now() < deadline, "at {node}");
            (status == 401).then_some(())
        })
        .await;
        let good = token_with("customer", "c2", "t2");
        eventually("a node that authenticates again", async || {
            (status_of(&nodes[node], &good).await == 200).then_some(())
        })
        .await;
    }
    let token = token_with("customer", "c3", "t3");
    let mut phone = Phone::ready_with(&nodes[1], &json!({"token": token})).await;
    revoke_eventually(&nodes[0], &json!({"jti": "t3"})).await;
    assert_eq!(phone.event("rt:end").await["code"], "token_revoked");
}
