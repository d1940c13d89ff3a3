//! The progress of connections, over every transport.

use serde_json::json;

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
