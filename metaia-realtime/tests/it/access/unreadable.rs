//! Control entries that a node cannot read: of a kind that only newer nodes know, damaged, or of
//! another shape. Access to order rooms is decided again, and no session ends.

use metaia_realtime::{
    NewEntry, Role,
    client::Transport,
    client::{Update, Updates},
    testing::{TestServer, eventually},
    values::EventId,
};
use serde_json::json;

use super::{client_in_room, server_with_policy};
use crate::support::{
    captured_log::CapturedLog, next, order, raw_socket::RawSocket, tick, ticks, user,
};

/// Returns an entry as a log reads it back.
fn stored(rooms: &[&str], name: &str, payload: &str) -> NewEntry {
    NewEntry::stored(EventId::random(), rooms, name, payload.to_owned()).unwrap()
}

/// Returns an entry of each kind that cannot be read.
fn unreadable_entries() -> [NewEntry; 6] {
    [
        stored(
            &[],
            "rt:of_a_newer_version",
            r#"{"secret":"no client sees it"}"#,
        ),
        stored(&["everyone"], "rt:", "{}"),
        stored(&["order-o1"], "rt:recheck_team", "[1,2]"),
        stored(&[], "rt:disconnect_user", r#"{"id":"#),
        stored(&[], "rt:disconnect_user", r#"{"user":"t1"}"#),
        stored(&["order-o1", "team-7"], "rt:recheck", "{}"),
    ]
}

/// Returns the names of the events that a client receives up to the tick `i`.
async fn events_until_tick(updates: &mut Updates, i: u64) -> Vec<String> {
    let mut names = Vec::new();
    next(updates, "the tick", |update| match update {
        Update::Event(event) => {
            let is_last = event.data["i"] == i;
            names.push(event.name);
            is_last.then_some(())
        }
        _ => None,
    })
    .await;
    names
}

#[tokio::test]
async fn access_is_decided_again_and_every_session_stays() {
    for entry in unreadable_entries() {
        let name = entry.name().to_owned();
        let (server, policy) = server_with_policy().await;
        let (_tailor, mut tailors) =
            client_in_room(&server, Transport::Upgrade, Role::Tailor, "t1").await;
        let (_admin, mut admins) =
            client_in_room(&server, Transport::Polling, Role::Admin, "a1").await;
        policy.deny("t1");
        let later = NewEntry::event([order("o1")], ("tick", json!({ "i": 1 }))).unwrap();
        server.realtime().publish(vec![entry, later]).await.unwrap();
        tick(server.realtime(), user("t1"), 2).await;
        let received = events_until_tick(&mut tailors, 2).await;
        assert_eq!(received, ["rt:room_left", "tick"], "{name}");
        assert_eq!(ticks(&mut admins, 1).await, [1], "{name}");
        let stats = server.realtime().stats();
        assert_eq!(stats.unreadable_controls, 1, "{name}");
        assert!(stats.ends.values().all(|ends| *ends == 0), "{name}");
    }
}

#[tokio::test]
async fn no_client_receives_the_entry_live_or_replayed() {
    let (server, _) = server_with_policy().await;
    let since = tick(server.realtime(), user("c1"), 0).await;
    let mut live = RawSocket::connect_until_ready(&server, Role::Customer, "c1", json!({})).await;
    let everywhere = ["everyone", "user-c1", "order-o1"];
    let entry = stored(&everywhere, "rt:of_a_newer_version", r#"{"a":1}"#);
    server.realtime().publish(vec![entry]).await.unwrap();
    tick(server.realtime(), user("c1"), 1).await;
    let is_tick = |packet: &str| packet.starts_with(r#"42["tick",{"i":1"#);
    assert!(is_tick(&live.next().await.unwrap()));

    let auth = json!({ "since": since });
    let mut resumed = RawSocket::connect(&server, Role::Customer, "c1", auth).await;
    assert!(is_tick(&resumed.next().await.unwrap()));
    let ready = resumed.next().await.unwrap();
    assert!(
        ready.contains(r#""recovered":true,"replayed":1"#),
        "{ready}"
    );

    let join = format!(r#"421["join_order_room",{{"orderId":"o1","since":"{since}"}}]"#);
    resumed.send(join).await;
    let answer = resumed.next().await.unwrap();
    assert!(answer.starts_with("431"), "{answer}");
    assert!(answer.contains(r#""replayed":0"#), "{answer}");
}

/// The name is whatever was stored: it may be long.
#[tokio::test]
async fn the_log_line_has_the_place_and_the_name_and_not_the_content() {
    let log = CapturedLog::start();
    let server = TestServer::start(|builder| builder).await;
    let name = format!("rt:newer{}", "x".repeat(100));
    let entry = stored(&[], &name, r#"{"secret":"of a person"}"#);
    let at = server.realtime().publish(vec![entry]).await.unwrap()[0].to_string();
    eventually("the line", || {
        log.contains("a control entry cannot be read")
    })
    .await;
    let text = log.text();
    let is_the_line = |line: &&str| line.contains("a control entry cannot be read");
    let line = text.lines().find(is_the_line).unwrap();
    assert!(line.contains("ERROR") && line.contains(&at), "{line}");
    assert!(
        line.contains("rt:newerxxx") && !line.contains(&name),
        "{line}"
    );
    assert!(!text.contains("of a person"), "{text}");
}

#[tokio::test]
async fn many_of_them_in_a_row_cost_one_decision_for_each_session() {
    let (server, policy) = server_with_policy().await;
    let (_tailor, mut tailors) =
        client_in_room(&server, Transport::Upgrade, Role::Tailor, "t1").await;
    let (_admin, mut admins) = client_in_room(&server, Transport::Polling, Role::Admin, "a1").await;
    let asked = policy.asked();
    let later = NewEntry::event([order("o1")], ("tick", json!({ "i": 1 }))).unwrap();
    let mut entries = vec![stored(&[], "rt:of_a_newer_version", "{}"); 1_000];
    for entry in &mut entries {
        *entry = entry.clone().with_id(EventId::random());
    }
    entries.push(later);
    server.realtime().publish(entries).await.unwrap();
    assert_eq!(ticks(&mut tailors, 1).await, [1]);
    assert_eq!(ticks(&mut admins, 1).await, [1]);
    assert_eq!(policy.asked() - asked, 2);
    assert_eq!(server.realtime().stats().unreadable_controls, 1_000);
}
