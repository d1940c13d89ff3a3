//! The results of a volatile send: nothing, since the event has no id and no position, or an error
//! if it is too large.

use metaia_realtime::{PublishError, Role, event::EventError, testing::TestServer};
use serde_json::json;

use crate::support::{event, limits, raw_socket::RawSocket};

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

/// The limit is of the whole packet, since that is what a client must be able to take.
#[tokio::test]
async fn a_volatile_event_may_be_as_large_as_the_limit_with_its_name_and_its_frame() {
    let small = limits(|limits| limits.entry_bytes = 1_024);
    let server = TestServer::start(|builder| builder.limits(small)).await;
    let mut socket = RawSocket::connect_until_ready(&server, Role::Customer, "c1", json!({})).await;
    let sender = server.realtime().volatile();
    for name in ["a", &"n".repeat(64)] {
        let frame = format!(r#"42["{name}",""]"#).len();
        for size in [1_025, 1_024] {
            let sent = sender.broadcast((name, "x".repeat(size - frame)));
            match sent {
                Ok(()) => assert_eq!(socket.until("42").await.len(), 1_024),
                Err(PublishError::Event(EventError::TooLarge { size: told, limit })) => {
                    assert_eq!((size, told, limit), (1_025, 1_025, 1_024));
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}
