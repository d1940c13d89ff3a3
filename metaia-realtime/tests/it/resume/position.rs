//! Resuming from a position: the client receives exactly what it missed, or a reset.

use metaia_realtime::{
    MemoryLog, Role, Room, client::Transport, log::Retention, testing::TestServer,
};
use serde_json::{Value, json};

use crate::support::{
    connect, event, limits, number, on_each_transport, order, policy::Policy,
    raw_client::RawClient, ready, reset, tick, ticks, user,
};

on_each_transport! {
    #[tokio::test]
    missed_events_of_all_rooms_are_replayed_in_order,
    an_unusable_position_leads_to_a_reset,
    trimmed_entries_lead_to_a_reset_only_for_clients_that_missed_them,
    too_many_missed_entries_lead_to_a_reset,
    a_client_that_loses_its_connection_misses_nothing,
    a_join_with_a_position_replays_before_its_ack,
    a_join_with_a_position_of_another_epoch_is_not_recovered,
}

async fn missed_events_of_all_rooms_are_replayed_in_order(transport: Transport) {
    let server = TestServer::start(|builder| builder.order_access(Policy::new())).await;
    let realtime = server.realtime();
    let since = tick(realtime, user("t1"), 0).await;
    let rooms = [
        user("t1"),
        order("o1"),
        Room::Role(Role::Tailor),
        Room::Everyone,
        order("o2"),
    ];
    let others = [user("t2"), order("o3"), Room::Role(Role::Admin)];
    for i in 1..=60 {
        tick(realtime, rooms[i as usize % rooms.len()].clone(), i).await;
        let other = others[i as usize % others.len()].clone();
        tick(realtime, other, 1_000 + i).await;
    }
    let builder = server
        .client_builder(Role::Tailor, "t1")
        .transport(transport)
        .since(since)
        .orders(["o1", "o2"]);
    let (_client, mut updates) = builder.connect().await.unwrap();
    assert_eq!(ticks(&mut updates, 60).await, (1..=60).collect::<Vec<_>>());
    let ready = ready(&mut updates).await;
    assert!(ready.recovered);
    assert_eq!(ready.replayed, 60);
    assert_eq!(
        ready.rooms,
        ["tailor-room", "user-t1", "order-o1", "order-o2"]
    );
}

/// Checks that a client with this position is told to reload for this reason, and is live
/// afterwards.
async fn check_reset(server: &TestServer, transport: Transport, since: &str, reason: &str) {
    let (_client, mut updates) = server
        .client_builder(Role::Customer, "c1")
        .transport(transport)
        .since(since)
        .connect()
        .await
        .unwrap();
    let reset = reset(&mut updates).await;
    assert_eq!(reset.reason, reason);
    let ready = ready(&mut updates).await;
    assert!(!ready.recovered);
    assert_eq!(ready.at, reset.at);
    tick(server.realtime(), user("c1"), 9_999).await;
    assert_eq!(ticks(&mut updates, 1).await, [9_999]);
}

async fn an_unusable_position_leads_to_a_reset(transport: Transport) {
    let (server, other) = tokio::join!(
        TestServer::start(|builder| builder),
        TestServer::start(|builder| builder)
    );
    let here = tick(server.realtime(), user("c1"), 1).await;
    let (epoch, _) = here.rsplit_once('.').unwrap();
    let elsewhere = tick(other.realtime(), user("c1"), 1).await;
    check_reset(&server, transport, &elsewhere, "epoch_changed").await;
    check_reset(&server, transport, &format!("{epoch}.1000"), "ahead").await;
    check_reset(&server, transport, "not a position", "malformed").await;
    check_reset(&server, transport, "", "malformed").await;
}

async fn trimmed_entries_lead_to_a_reset_only_for_clients_that_missed_them(transport: Transport) {
    let log = MemoryLog::new(Retention::MEMORY.entries(10));
    let server = TestServer::start(|builder| builder.log(log)).await;
    let since = tick(server.realtime(), user("c1"), 0).await;
    for i in 1..=30 {
        tick(server.realtime(), user("other"), i).await;
    }
    let (_client, mut updates) = server
        .client_builder(Role::Customer, "c1")
        .transport(transport)
        .since(&since)
        .connect()
        .await
        .unwrap();
    assert!(ready(&mut updates).await.recovered);
    for i in 1..=30 {
        tick(server.realtime(), user("c1"), i).await;
    }
    check_reset(&server, transport, &since, "too_old").await;
}

async fn too_many_missed_entries_lead_to_a_reset(transport: Transport) {
    let server =
        TestServer::start(|builder| builder.limits(limits(|limits| limits.replay_entries = 5)))
            .await;
    let since = tick(server.realtime(), user("c1"), 0).await;
    for i in 1..=5 {
        tick(server.realtime(), user("c1"), i).await;
    }
    let (_client, mut updates) = server
        .client_builder(Role::Customer, "c1")
        .transport(transport)
        .since(&since)
        .connect()
        .await
        .unwrap();
    assert_eq!(ticks(&mut updates, 5).await, [1, 2, 3, 4, 5]);
    assert!(ready(&mut updates).await.recovered);
    tick(server.realtime(), user("c1"), 6).await;
    check_reset(&server, transport, &since, "too_old").await;
}

async fn a_client_that_loses_its_connection_misses_nothing(transport: Transport) {
    let server = TestServer::start(|builder| builder.order_access(Policy::new())).await;
    let (client, mut updates) = connect(&server, transport, Role::Customer, "c1").await;
    client.join_order("o1").await.unwrap();
    for round in 0..10 {
        tick(server.realtime(), order("o1"), 2 * round).await;
        assert_eq!(ticks(&mut updates, 1).await, [2 * round]);
        client.drop_transport().await;
        tick(server.realtime(), order("o1"), 2 * round + 1).await;
        assert_eq!(ticks(&mut updates, 1).await, [2 * round + 1]);
    }
}

async fn a_join_with_a_position_replays_before_its_ack(transport: Transport) {
    let server = TestServer::start(|builder| builder.order_access(Policy::new())).await;
    let since = tick(server.realtime(), order("o1"), 0).await;
    for i in 1..=700 {
        tick(server.realtime(), order("o1"), i).await;
    }
    let mut socket =
        RawClient::connect_until_ready(&server, transport, (Role::Customer, "c1"), json!({})).await;
    socket
        .send(format!(
            r#"421["join_order_room",{{"orderId":"o1","since":"{since}"}}]"#
        ))
        .await;
    for i in 701..=720 {
        tick(server.realtime(), order("o1"), i).await;
    }
    let mut numbers = Vec::new();
    // The acknowledgement, and the number of events before it.
    let mut ack: Option<(u64, Value)> = None;
    while numbers.len() < 720 || ack.is_none() {
        let packet = socket.next().await.unwrap();
        if let Some(answer) = packet.strip_prefix("431") {
            let answer: Value = serde_json::from_str(answer).unwrap();
            ack = Some((numbers.len() as u64, answer[0].clone()));
        } else if let Some(event) = packet.strip_prefix("42[\"tick\",") {
            let data = event.strip_suffix(']').unwrap();
            numbers.push(number(&serde_json::from_str(data).unwrap()));
        }
    }
    assert_eq!(numbers, (1..=720).collect::<Vec<_>>());
    let (before, ack) = ack.unwrap();
    assert_eq!(
        ack,
        json!({ "status": "ok", "room": "order-o1", "recovered": true, "replayed": before })
    );
    assert!(before >= 700);
}

async fn a_join_with_a_position_of_another_epoch_is_not_recovered(transport: Transport) {
    let (server, other) = tokio::join!(
        TestServer::start(|builder| builder.order_access(Policy::new())),
        TestServer::start(|builder| builder)
    );
    let since = tick(other.realtime(), order("o1"), 0).await;
    let (client, mut updates) = connect(&server, transport, Role::Customer, "c1").await;
    let joined = client.join_order_since("o1", &since).await.unwrap();
    assert!(!joined.recovered);
    tick(server.realtime(), order("o1"), 1).await;
    assert_eq!(number(&event(&mut updates, "tick").await.data), 1);
}
