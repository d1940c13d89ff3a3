//! Two nodes over one log: a user that one node disconnects is disconnected by the other too, but
//! not if it connected later.

use metaia_realtime::{
    MemoryLog, NewEntry, Role,
    client::{GaveUp, Transport, Update, Updates},
    testing::{TestServer, eventually},
    values::SessionId,
};
use serde_json::json;

use crate::support::{
    connect, next, on_each_transport, raw_client::RawClient, raw_socket::KICKED, ready, tick,
    ticks, user,
};

on_each_transport! {
    #[tokio::test]
    a_user_is_disconnected_on_every_node_and_no_other_user_is,
    a_client_that_connects_later_stays_even_if_the_node_reads_the_entry_afterwards,
    a_session_that_is_still_catching_up_ends_too,
    a_session_is_ended_on_any_node_and_an_unknown_session_is_not_an_error,
    a_disconnect_can_be_appended_with_other_entries_and_is_not_replayed,
}

async fn nodes() -> (TestServer, TestServer) {
    let log = MemoryLog::default();
    let other = log.clone();
    (
        TestServer::start(|builder| builder.log(log)).await,
        TestServer::start(|builder| builder.log(other)).await,
    )
}

async fn gave_up(updates: &mut Updates) -> GaveUp {
    next(updates, "the end", |update| match update {
        Update::GaveUp(reason) => Some(reason),
        _ => None,
    })
    .await
}

async fn a_user_is_disconnected_on_every_node_and_no_other_user_is(transport: Transport) {
    let (here, there) = nodes().await;
    let (_one, mut one) = connect(&here, transport, Role::Customer, "c1").await;
    let (_two, mut two) = connect(&there, transport, Role::Customer, "c1").await;
    let (_other, mut other) = connect(&there, transport, Role::Customer, "c2").await;
    ready(&mut two).await;
    here.realtime()
        .disconnect_user(&"c1".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(gave_up(&mut one).await, GaveUp::ServerDisconnect);
    assert_eq!(gave_up(&mut two).await, GaveUp::ServerDisconnect);
    tick(here.realtime(), user("c2"), 1).await;
    assert_eq!(ticks(&mut other, 1).await, [1]);
}

async fn a_client_that_connects_later_stays_even_if_the_node_reads_the_entry_afterwards(
    transport: Transport,
) {
    let (here, there) = nodes().await;
    for i in 0..20 {
        here.realtime()
            .disconnect_user(&"c1".parse().unwrap())
            .await
            .unwrap();
        let (_phone, mut updates) = connect(&there, transport, Role::Customer, "c1").await;
        tick(here.realtime(), user("c1"), i).await;
        assert_eq!(ticks(&mut updates, 1).await, [i]);
        there
            .realtime()
            .disconnect_user(&"c1".parse().unwrap())
            .await
            .unwrap();
    }
}

async fn a_session_that_is_still_catching_up_ends_too(transport: Transport) {
    let (here, there) = nodes().await;
    let mut socket = RawClient::connect(
        &there,
        transport,
        (Role::Customer, "c1"),
        json!({ "hold": "true" }),
    )
    .await;
    here.realtime()
        .disconnect_user(&"c1".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(socket.rest().await, KICKED);
}

async fn a_session_is_ended_on_any_node_and_an_unknown_session_is_not_an_error(
    transport: Transport,
) {
    let (here, there) = nodes().await;
    let (_one, mut one) = connect(&there, transport, Role::Customer, "c1").await;
    ready(&mut one).await;
    let id = there.realtime().local_sessions()[0].id;
    let (_two, mut two) = connect(&there, transport, Role::Customer, "c1").await;
    ready(&mut two).await;
    here.realtime().disconnect_session(id).await.unwrap();
    assert_eq!(gave_up(&mut one).await, GaveUp::ServerDisconnect);
    tick(here.realtime(), user("c1"), 1).await;
    assert_eq!(ticks(&mut two, 1).await, [1]);
    let unknown: SessionId = "0123456789abcdef0123456789abcdef".parse().unwrap();
    here.realtime().disconnect_session(unknown).await.unwrap();
}

/// Clients never receive the entry, neither live nor when they resume from before it.
async fn a_disconnect_can_be_appended_with_other_entries_and_is_not_replayed(transport: Transport) {
    let (here, there) = nodes().await;
    let since = tick(here.realtime(), user("c1"), 0).await;
    let mut socket =
        RawClient::connect_until_ready(&there, transport, (Role::Admin, "c2"), json!({})).await;
    let event = NewEntry::event([user("c1")], ("tick", json!({ "i": 1 }))).unwrap();
    let entries = vec![NewEntry::disconnect_user("c1".parse().unwrap()), event];
    here.realtime().publish(entries).await.unwrap();
    let mut reconnected = RawClient::connect(
        &there,
        transport,
        (Role::Customer, "c1"),
        json!({ "since": since }),
    )
    .await;
    assert!(
        reconnected
            .next()
            .await
            .unwrap()
            .starts_with(r#"42["tick",{"i":1"#)
    );
    assert!(
        reconnected
            .next()
            .await
            .unwrap()
            .contains(r#""recovered":true,"replayed":1"#)
    );
    tick(here.realtime(), user("c2"), 7).await;
    assert!(
        socket
            .next()
            .await
            .unwrap()
            .starts_with(r#"42["tick",{"i":7"#)
    );
    eventually("both to be connected", || {
        there.realtime().local_sessions().len() == 2
    })
    .await;
}
