//! A volatile send returns nothing: the event has no id and no position.

use metaia_realtime::{Role, testing::TestServer};
use serde_json::json;

use crate::support::event;

#[tokio::test]
async fn a_volatile_send_returns_no_id_and_the_event_carries_none() {
    let server = TestServer::start(|builder| builder).await;
    let (_client, mut updates) = server.client(Role::Customer, "c1").await;
    let sender = server.realtime().volatile();
    let sent: () = sender
        .send_to_user(&"c1".parse().unwrap(), ("at", json!({ "x": 1 })))
        .unwrap();
    assert_eq!(sent, ());
    assert_eq!(event(&mut updates, "at").await.data, json!({ "x": 1 }));
}
