//! Answers to handshakes, and what the client tells about them.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use super::*;
use crate::client::{ConnectError, HttpAnswer};

/// Starts a server that answers every request with these pieces, one by one, and returns its
/// address.
async fn stub(pieces: &[&'static str]) -> String {
    let pieces = pieces.to_vec();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    TaskTracker::new().spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            TaskTracker::new().spawn(answer(tcp, pieces.clone()));
        }
    });
    url
}

/// Writes each piece in a segment of its own.
async fn answer(mut tcp: TcpStream, pieces: Vec<&str>) {
    tcp.set_nodelay(true).unwrap();
    let mut request = vec![0; 4096];
    let _ = tcp.read(&mut request).await;
    // The pause puts each piece into a segment of its own.
    let mut pause = tokio::time::interval(Duration::from_millis(30));
    for piece in pieces {
        pause.tick().await;
        if tcp.write_all(piece.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn refused(url: &str, transport: Transport) -> (u16, HttpAnswer) {
    let error = Client::builder(url)
        .transport(transport)
        .connect()
        .await
        .unwrap_err();
    match error {
        ConnectError::Http { status, answer, .. } => (status, *answer),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_body_is_read_to_its_end() {
    let known_length = "HTTP/1.1 503 Busy\r\nContent-Length: 9\r\nRetry-After: 3\r\n\r\n";
    let chunked = "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n";
    let to_the_end = "HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\n";
    for pieces in [
        [known_length, "too ", "busy!"],
        [chunked, "4\r\ntoo \r\n", "5\r\nbusy!\r\n0\r\n\r\n"],
        [to_the_end, "too ", "busy!"],
    ] {
        let url = stub(&pieces).await;
        for transport in ALL {
            let (status, answer) = refused(&url, transport).await;
            assert_eq!((status, answer.body.as_str()), (503, "too busy!"));
            assert!(answer.is_complete, "{transport:?}");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let url = stub(&[
        "HTTP/1.1 301 Moved\r\nLocation: https://a.example/socket.io/\r\nContent-Length: 0\r\n\r\n",
    ])
    .await;
    for transport in ALL {
        let (status, answer) = refused(&url, transport).await;
        assert_eq!(status, 301);
        assert_eq!(
            answer.header("location"),
            Some("https://a.example/socket.io/")
        );
    }
}

#[tokio::test]
async fn a_client_knows_when_the_latest_packet_came() {
    let server = Server::start().await;
    for transport in ALL {
        let connecting = client(&server).transport(transport);
        let (client, _updates) = connecting.connect().await.unwrap();
        let before = std::time::Instant::now();
        let answer = client.emit_with_ack("echo", 1, TIMEOUT).await;
        answer.unwrap();
        assert!(client.last_heard().unwrap() >= before, "{transport:?}");
    }
}

#[tokio::test]
async fn a_connection_knows_the_servers_clock() {
    let server = Server::start().await;
    for transport in ALL {
        let (client, _updates) = client(&server)
            .transport(transport)
            .connect()
            .await
            .unwrap();
        let date = client.server_date().unwrap();
        assert!(date.header.ends_with(" GMT"), "{date:?}");
    }
}

#[tokio::test]
async fn an_upgrade_is_told() {
    let server = Server::start().await;
    let (_client, mut updates) = client(&server)
        .transport(Transport::Upgrade)
        .connect()
        .await
        .unwrap();
    next(&mut updates, "the upgrade", |update| {
        matches!(update, Update::Upgraded).then_some(())
    })
    .await;
}
