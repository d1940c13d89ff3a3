//! The progress of connections, over every transport, and clients that move to a WebSocket.

#[cfg(test)]
mod moving;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::Request;
use http_body_util::Empty;
use serde_json::json;

use super::{engine_service::PATH, polling::ask};
use crate::{
    Limits, Role,
    client::Transport,
    session::Progress,
    testing::{TestServer, eventually},
};

fn progress(server: &TestServer) -> Progress {
    let sessions = server.realtime().node().registry().all();
    sessions
        .first()
        .and_then(|session| session.port().progress())
        .unwrap_or_default()
}

#[tokio::test]
async fn packets_before_an_answered_ping_are_known_to_have_arrived() {
    for transport in [Transport::WebSocket, Transport::Polling, Transport::Upgrade] {
        let limits = Limits {
            ping_interval: std::time::Duration::from_millis(20),
            ..Limits::default()
        };
        let server = TestServer::start(|builder| builder.limits(limits)).await;
        let builder = server
            .client_builder(Role::Customer, "c1")
            .transport(transport);
        let (_client, _updates) = builder.connect().await.unwrap();
        let user = "c1".parse().unwrap();
        for i in 0..5 {
            server
                .realtime()
                .send_to_user(&user, ("tick", json!({ "i": i })))
                .await
                .unwrap();
        }
        // `rt:ready` and the five.
        eventually("the client's answer", || progress(&server).answered == 6).await;
        let progress = progress(&server);
        assert_eq!(progress.written, 6, "{transport:?}");
        assert_eq!(progress.pinged, 6, "{transport:?}");
        assert_eq!(progress.answered, 6, "{transport:?}");
        assert!(progress.pongs > 0);
    }
}

#[tokio::test]
async fn a_client_that_has_upgraded_is_served_without_the_engine() {
    let server = TestServer::start(|builder| builder).await;
    let builder = server.client_builder(Role::Customer, "c1");
    let connecting = builder.transport(Transport::Upgrade).connect();
    let (client, _updates) = connecting.await.unwrap();
    let engine = server.realtime().engine();
    let link = || engine.links.all().pop();
    eventually("the upgrade", || {
        link().is_some_and(|link| link.upgrade.has_moved())
    })
    .await;
    let sid = link().unwrap().polling.sid.clone();
    let uri = format!("{PATH}/?EIO=4&transport=polling&sid={sid}");
    // A poll would wait if the engine knew the session.
    let is_gone = || {
        let request = Request::get(&uri).body(Empty::<Bytes>::new()).unwrap();
        let asked = ask(engine.service.get().unwrap(), request).now_or_never();
        asked.is_some_and(|answer| answer.status() == 400)
    };
    eventually("the end of the engine's session", is_gone).await;
    assert_eq!(server.realtime().local_sessions().len(), 1);
    client.close().await;
    eventually("the end of the link", || link().is_none()).await;
}
