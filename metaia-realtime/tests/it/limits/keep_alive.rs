//! Connections that are kept alive between requests, and who makes room when there are too many.

use metaia_realtime::{
    Role,
    testing::{TestServer, within},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::server_with;
use crate::support::{poller::Poller, tick, user};

/// A connection that is kept alive.
struct Kept(TcpStream);

impl Kept {
    /// Opens a connection, and sends one request over it. Returns the answer's status, too.
    async fn open(server: &TestServer) -> (Self, u16) {
        let stream = TcpStream::connect(server.address()).await.unwrap();
        let mut kept = Self(stream);
        let status = kept.ask().await.unwrap();
        (kept, status)
    }

    /// Sends a request. Returns the status of its answer, or `None` if the connection has ended.
    async fn ask(&mut self) -> Option<u16> {
        let request = b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";
        self.0.write_all(request).await.ok()?;
        let mut answer = [0; 1_024];
        let read = within("an answer", self.0.read(&mut answer)).await.ok()?;
        let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
        answer.split(' ').nth(1)?.parse().ok()
    }

    /// Waits for the end of the connection.
    async fn ended(&mut self) {
        let read = within("the end of the connection", self.0.read(&mut [0])).await;
        assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    }
}

#[tokio::test]
async fn the_connection_that_was_idle_for_longest_makes_room() {
    let server = server_with(|limits| limits.connections = 10).await;
    let mut kept = Vec::new();
    for _ in 0..9 {
        let (connection, status) = Kept::open(&server).await;
        assert_eq!(status, 404);
        kept.push(connection);
    }
    // The first is now the one that was used last.
    assert_eq!(kept[0].ask().await, Some(404));
    for oldest in [1, 2, 3] {
        let (connection, status) = Kept::open(&server).await;
        assert_eq!(status, 404);
        kept[oldest].ended().await;
        kept.push(connection);
    }
    for stays in [0, 4, 8, 11] {
        assert_eq!(kept[stays].ask().await, Some(404), "{stays}");
    }
}

#[tokio::test]
async fn connections_that_are_idle_at_once_make_room_one_by_one() {
    let server = server_with(|limits| limits.connections = 4).await;
    let opening = std::array::from_fn::<_, 4, _>(|_| Kept::open(&server));
    let mut kept: Vec<_> = futures_util::future::join_all(opening).await;
    assert!(kept.iter().all(|(_, status)| *status == 404));
    for _ in 0..8 {
        let (connection, status) = Kept::open(&server).await;
        assert_eq!(status, 404);
        kept.push((connection, status));
    }
}

#[tokio::test]
async fn a_poll_that_waits_is_not_idle() {
    let server = server_with(|limits| limits.connections = 3).await;
    let phone = Poller::connect_until_ready(&server, Role::Customer, "c1").await;
    let poll = phone.get(&server);
    let others = async {
        for _ in 0..10 {
            assert_eq!(Kept::open(&server).await.1, 404);
        }
        tick(server.realtime(), user("c1"), 1).await;
    };
    let (answer, ()) = tokio::join!(poll, others);
    assert_eq!(answer.status, 200);
}
