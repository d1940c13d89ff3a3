//! Presence: every node reports the sessions of all nodes.

use std::time::{Duration, Instant};

use metaia_tests::clients::phone::Phone;
use metaia_tests::eventually::eventually;
use metaia_tests::fixtures::token::token;
use metaia_tests::fixtures::{all_until_now, raise_fence, up_to_fence};
use metaia_tests::server::{Listening as _, Server};
use metaia_tests::upgrade;
use serde_json::{Value, json};

use super::Pair;

/// Returns all sessions, as this node sees them.
async fn sessions(server: &Server) -> Vec<Value> {
    let answer = server
        .admin()
        .get("/api/realtime/sessions?limit=100")
        .await
        .data(200);
    answer["sessions"]
        .as_array()
        .unwrap_or_else(|| panic!("no sessions: {answer}"))
        .clone()
}

/// Waits until this node sees the user and returns the public id of the user's one session.
async fn session_of(server: &Server, user: &str) -> String {
    eventually(&format!("{user} to be present"), async || {
        let session = sessions(server)
            .await
            .into_iter()
            .find(|session| session["user"] == user)?;
        Some(
            session["id"]
                .as_str()
                .unwrap_or_else(|| panic!("no id: {session}"))
                .to_owned(),
        )
    })
    .await
}

async fn wait_until_gone(server: &Server, user: &str) {
    eventually(&format!("{user} to be gone"), async || {
        (!sessions(server)
            .await
            .iter()
            .any(|session| session["user"] == user))
        .then_some(())
    })
    .await;
}

#[tokio::test]
async fn every_node_sees_all_users_until_they_disconnect() {
    let Pair { nodes, .. } = &Pair::start().await;
    let phone = Phone::ready_as(&nodes[0], "customer", "c1").await;
    let other = Phone::ready_as(&nodes[1], "customer", "c2").await;
    for node in 0..2 {
        for user in ["c1", "c2"] {
            session_of(&nodes[node], user).await;
        }
    }
    for node in nodes.running() {
        let answer = node
            .admin()
            .get("/api/realtime/presence?user=c1,c2,c3")
            .await
            .data(200);
        let online = answer["users"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["online"] == true);
        assert_eq!(online.collect::<Vec<_>>(), [true, true, false], "{answer}");
        let answer = node.admin().get("/api/realtime/rooms").await.data(200);
        let rooms = answer["rooms"].as_array().unwrap();
        let all = rooms.iter().find(|room| room["room"] == "customer-room");
        assert_eq!(all.unwrap()["sessions"], 2, "{answer}");
        // A node publishes its number of sessions when it renews its lease.
        eventually("both sessions to be counted", async || {
            let stats = node.admin().get("/api/realtime/stats").await.data(200);
            (stats["sessions"] == 2).then_some(())
        })
        .await;
    }
    phone.drop_connection();
    for node in 0..2 {
        wait_until_gone(&nodes[node], "c1").await;
        session_of(&nodes[node], "c2").await;
    }
    drop(other);
}

/// The time after which a silent node counts as dead, and the delay that a busy machine may add.
const LEASE: Duration = Duration::from_secs(15);
const SLACK: Duration = Duration::from_secs(8);

#[tokio::test]
async fn sessions_of_a_killed_node_are_gone_when_its_lease_ends() {
    let mut pair = Pair::start().await;
    let _lost = Phone::ready_as(&pair.nodes[0], "customer", "c1").await;
    let mut here = Phone::ready_as(&pair.nodes[1], "customer", "c2").await;
    session_of(&pair.nodes[1], "c1").await;
    pair.nodes.kill(0).await;
    let killed = Instant::now();
    let still = sessions(&pair.nodes[1]).await;
    assert!(
        still.iter().any(|session| session["user"] == "c1"),
        "the lease has not ended yet: {still:#?}"
    );
    wait_until_gone(&pair.nodes[1], "c1").await;
    assert!(
        killed.elapsed() < LEASE + SLACK,
        "gone after {:?}",
        killed.elapsed()
    );
    session_of(&pair.nodes[1], "c2").await;
    all_until_now(&pair.nodes[1], &mut here).await;
}

#[tokio::test]
async fn sessions_of_a_node_that_ended_cleanly_are_gone_at_once() {
    let mut pair = Pair::start().await;
    let _left = Phone::ready_as(&pair.nodes[0], "customer", "c1").await;
    session_of(&pair.nodes[1], "c1").await;
    pair.nodes.stop(0).await;
    let ended = Instant::now();
    wait_until_gone(&pair.nodes[1], "c1").await;
    assert!(
        ended.elapsed() < Duration::from_secs(10),
        "the sessions must be removed before the lease ends"
    );
}

#[tokio::test]
async fn a_disconnect_at_one_node_ends_a_session_at_the_other() {
    let Pair { nodes, .. } = &Pair::start().await;
    let mut phone = Phone::ready_as(&nodes[1], "customer", "c1").await;
    let mut other = Phone::ready_as(&nodes[1], "customer", "c2").await;
    let session = session_of(&nodes[0], "c1").await;
    nodes[0]
        .admin()
        .send("DELETE", &format!("/api/realtime/sessions/{session}"), None)
        .await
        .ok(200);
    phone.closed().await;
    raise_fence(&nodes[0]).await;
    up_to_fence(&mut other).await;
}

#[tokio::test]
async fn every_node_sees_the_role_and_the_end_of_a_new_token() {
    let Pair { nodes, .. } = &Pair::start().await;
    // A first node of the earlier version renews no token, and lists no end of one.
    let mut phone = Phone::ready_as(&nodes[1], "customer", "c1").await;
    session_of(&nodes[0], "c1").await;
    let next = json!({"token": token("tailor", "c1")});
    let answer = phone.call("rt:refresh", &next).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    for node in nodes.running() {
        let session = eventually("the new role", async || {
            let of_tailors = "/api/realtime/sessions?role=tailor&room=tailor-room";
            let found = node.admin().get(of_tailors).await.data(200);
            let session = found["sessions"][0].clone();
            (session["user"] == "c1").then_some(session)
        })
        .await;
        let is_earlier = upgrade::old_server().is_some() && node.port() == nodes[0].port();
        assert!(is_earlier || session["expiresAt"].is_string(), "{session}");
    }
}
