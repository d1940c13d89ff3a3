//! Connections that the server accepts and that end before the session is ready.

use tokio::net::TcpListener;
use tokio_tungstenite::accept_async;
use tokio_util::task::TaskTracker;

use super::{
    invalid_servers::{accepts, send},
    *,
};
use crate::client::GaveUp;

/// Starts a server that accepts every client, sends it these packets, and ends the connection.
async fn hasty_server(packets: &'static [&'static str]) -> ClientBuilder {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    TaskTracker::new().spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let mut socket = accepts(accept_async(tcp).await.unwrap()).await;
            send(&mut socket, packets).await;
        }
    });
    let reconnect = Reconnect {
        min: Duration::from_millis(1),
        max: Duration::from_millis(8),
        max_attempts: Some(3),
    };
    Client::builder(url).reconnect(reconnect)
}

/// Returns the numbers of the first eight attempts, and why there was no other one.
async fn attempts(updates: &mut Updates) -> (Vec<u32>, Option<GaveUp>) {
    let mut attempts = Vec::new();
    while attempts.len() < 8 {
        match within("an update", updates.recv()).await {
            Some(Update::Retrying(retrying)) => attempts.push(retrying.attempt),
            Some(Update::GaveUp(reason)) => return (attempts, Some(reason)),
            Some(_) => {}
            None => panic!("the updates ended"),
        }
    }
    (attempts, None)
}

#[tokio::test]
async fn sessions_that_are_never_ready_are_failed_attempts() {
    let packets: [&[&str]; 3] = [
        &[],
        &[r#"42["tick",{"n":1}]"#],
        &[r#"42["tick",{"_rt":{"id":"e1","at":"p.1"}}]"#],
    ];
    for packets in packets {
        let server = hasty_server(packets).await;
        let (_client, mut updates) = server.connect().await.unwrap();
        let (attempts, end) = attempts(&mut updates).await;
        assert_eq!(attempts, [1, 2, 3], "{packets:?}");
        let Some(GaveUp::Exhausted { last_error }) = end else {
            panic!("{end:?}")
        };
        assert!(last_error.starts_with("transport close: "), "{last_error}");
        assert!(updates.recv().await.is_none());
    }
}

#[tokio::test]
async fn a_session_that_was_ready_restarts_the_count() {
    let server = hasty_server(&[r#"42["rt:ready",{"rooms":[]}]"#]).await;
    let (_client, mut updates) = server.connect().await.unwrap();
    assert_eq!(attempts(&mut updates).await, (vec![1; 8], None));
}
