//! Two nodes over one log: whom one of them disconnects, the other ends too, and nobody who came
//! later.

use metaia_realtime::{
    MemoryLog, NewEntry, Role, SessionId,
    client::{GaveUp, Update, Updates},
    testing::{TestServer, eventually},
};
use serde_json::json;

use crate::{next, ready, support::raw_socket::Line, tick, ticks, user};

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
        Update::GaveUp(why) => Some(why),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_user_is_disconnected_on_every_node_and_nobody_else_is() {
    let (here, there) = nodes().await;
    let (_one, mut one) = here.client(Role::Customer, "c1").await;
    let (_two, mut two) = there.client(Role::Customer, "c1").await;
    let (_other, mut other) = there.client(Role::Customer, "c2").await;
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

#[tokio::test]
async fn who_comes_after_it_stays_though_the_node_learns_of_it_later() {
    let (here, there) = nodes().await;
    for i in 0..20 {
        here.realtime()
            .disconnect_user(&"c1".parse().unwrap())
            .await
            .unwrap();
        let (_phone, mut updates) = there.client(Role::Customer, "c1").await;
        tick(here.realtime(), user("c1"), i).await;
        assert_eq!(ticks(&mut updates, 1).await, [i]);
        there
            .realtime()
            .disconnect_user(&"c1".parse().unwrap())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_session_that_is_still_catching_up_ends_too() {
    let (here, there) = nodes().await;
    let mut line = Line::beginning(&there, Role::Customer, "c1", json!({ "hold": "true" }))
        .await
        .0;
    here.realtime()
        .disconnect_user(&"c1".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(line.rest().await, ["41"]);
}

#[tokio::test]
async fn one_session_is_ended_wherever_it_is_and_one_that_is_nowhere_is_no_error() {
    let (here, there) = nodes().await;
    let (_one, mut one) = there.client(Role::Customer, "c1").await;
    ready(&mut one).await;
    let id = there.realtime().local_sessions()[0].id;
    let (_two, mut two) = there.client(Role::Customer, "c1").await;
    ready(&mut two).await;
    here.realtime().disconnect_session(id).await.unwrap();
    assert_eq!(gave_up(&mut one).await, GaveUp::ServerDisconnect);
    tick(here.realtime(), user("c1"), 1).await;
    assert_eq!(ticks(&mut two, 1).await, [1]);
    let nowhere: SessionId = "0123456789abcdef0123456789abcdef".parse().unwrap();
    here.realtime().disconnect_session(nowhere).await.unwrap();
}

/// Clients never see it, neither live nor when they come back from before it.
#[tokio::test]
async fn it_can_be_appended_with_other_entries_and_is_not_replayed() {
    let (here, there) = nodes().await;
    let since = tick(here.realtime(), user("c1"), 0).await;
    let mut line = Line::connect(&there, Role::Admin, "c2", json!({})).await;
    let event = NewEntry::event([user("c1")], ("tick", json!({ "i": 1 }))).unwrap();
    let entries = vec![NewEntry::disconnect_user("c1".parse().unwrap()), event];
    here.realtime().publish(entries).await.unwrap();
    let mut back = Line::beginning(&there, Role::Customer, "c1", json!({ "since": since }))
        .await
        .0;
    assert!(
        back.next()
            .await
            .unwrap()
            .starts_with(r#"42["tick",{"i":1"#)
    );
    assert!(
        back.next()
            .await
            .unwrap()
            .contains(r#""recovered":true,"replayed":1"#)
    );
    tick(here.realtime(), user("c2"), 7).await;
    assert!(
        line.next()
            .await
            .unwrap()
            .starts_with(r#"42["tick",{"i":7"#)
    );
    eventually("both to be there", || {
        there.realtime().local_sessions().len() == 2
    })
    .await;
}
