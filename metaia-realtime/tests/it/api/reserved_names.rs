//! Events that official clients would take for their own are not sent.

use metaia_realtime::{
    Event, PublishError, Realtime, Role, event::EventError, testing::TestServer,
};
use serde_json::json;

use crate::support::user;

#[derive(serde::Serialize)]
struct Disconnect {}

impl Event for Disconnect {
    const NAME: &'static str = "disconnect";
}

fn assert_reserved<T: std::fmt::Debug>(sent: Result<T, PublishError>) {
    assert!(
        matches!(sent, Err(PublishError::Event(EventError::ReservedName))),
        "{sent:?}"
    );
}

async fn send(realtime: &Realtime, name: &str) {
    assert_reserved(realtime.send([user("c1")], (name, json!({}))).await);
    assert_reserved(realtime.broadcast((name, json!({}))).await);
    assert_reserved(
        realtime
            .volatile()
            .send_to_role(Role::Admin, (name, json!({}))),
    );
}

#[tokio::test]
async fn names_of_socket_io_itself_are_refused_logged_and_volatile() {
    let server = TestServer::start(|builder| builder).await;
    for name in [
        "connect",
        "connect_error",
        "disconnect",
        "disconnecting",
        "newListener",
        "removeListener",
    ] {
        send(server.realtime(), name).await;
    }
    assert_reserved(server.realtime().send([user("c1")], &Disconnect {}).await);
    assert_eq!(server.realtime().stats().appended, 0, "nothing is stored");
}
