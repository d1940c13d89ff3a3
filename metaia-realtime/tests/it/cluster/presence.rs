//! Two nodes that share a directory: each sees the sessions of both.

use std::time::Duration;

use metaia_realtime::{
    MemoryLog, Realtime, Role, Room,
    presence::{MemoryDirectory, RoomQuery, SessionQuery, SessionView},
    testing::{TestServer, eventually, within},
};
use serde_json::json;

use crate::support::{
    order,
    policy::Policy,
    raw_socket::{KICKED, RawSocket},
    user,
};

async fn nodes() -> (TestServer, TestServer) {
    let log = MemoryLog::default();
    let directory = MemoryDirectory::default();
    let start = || {
        let log = log.clone();
        let directory = directory.clone();
        TestServer::start(|builder| {
            builder
                .log(log)
                .directory(directory)
                .order_access(Policy::new())
        })
    };
    (start().await, start().await)
}

async fn sessions(realtime: &Realtime, query: SessionQuery) -> Vec<SessionView> {
    realtime.sessions(&query).await.unwrap().sessions
}

/// Waits until the node sees `count` sessions.
async fn sees(realtime: &Realtime, count: usize) {
    within("the sessions", async {
        while sessions(realtime, SessionQuery::default()).await.len() != count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn every_node_sees_all_sessions_rooms_and_users() {
    let (here, there) = nodes().await;
    let auth = json!({ "orders": ["o1"], "device": "phone-1" });
    let mut one = RawSocket::connect(&here, Role::Customer, "c1", auth.clone()).await;
    one.until("42[\"rt:ready\"").await;
    let mut two = RawSocket::connect(&there, Role::Tailor, "t1", auth).await;
    two.until("42[\"rt:ready\"").await;
    let _three = RawSocket::connect_until_ready(&there, Role::Customer, "c1", json!({})).await;
    for realtime in [here.realtime(), there.realtime()] {
        sees(realtime, 3).await;
        let tailors = SessionQuery {
            role: Some(Role::Tailor),
            ..SessionQuery::default()
        };
        let tailor = sessions(realtime, tailors).await.remove(0);
        assert_eq!(
            (tailor.user.as_str(), tailor.node),
            ("t1", there.realtime().node_id())
        );
        assert_eq!(tailor.device, Some("phone-1".parse().unwrap()));
        assert_eq!(
            tailor.rooms,
            [order("o1"), Room::Role(Role::Tailor), user("t1")]
        );
        let in_order = SessionQuery {
            room: Some(order("o1")),
            ..SessionQuery::default()
        };
        assert_eq!(sessions(realtime, in_order).await.len(), 2);
        let rooms = realtime.rooms(&RoomQuery::default()).await.unwrap();
        let rooms: Vec<_> = rooms
            .rooms
            .iter()
            .map(|view| (view.room.to_string(), view.sessions))
            .collect();
        let expected = [
            ("customer-room", 2),
            ("order-o1", 2),
            ("tailor-room", 1),
            ("user-c1", 2),
            ("user-t1", 1),
        ];
        assert_eq!(
            rooms,
            expected.map(|(room, sessions)| (room.to_owned(), sessions))
        );
        let users = ["c1", "absent"].map(|user| user.parse().unwrap());
        let presence = realtime.presence(&users).await.unwrap();
        assert_eq!((presence[0].sessions, presence[1].sessions), (2, 0));
        assert!(presence[0].connected_at.is_some() && presence[1].active_at.is_none());
        assert_eq!(realtime.nodes().await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn pages_go_over_all_nodes() {
    let (here, there) = nodes().await;
    let mut sockets = Vec::new();
    for i in 0..7 {
        let server = if i % 2 == 0 { &here } else { &there };
        sockets.push(
            RawSocket::connect_until_ready(server, Role::Customer, &format!("c{i}"), json!({}))
                .await,
        );
    }
    sees(here.realtime(), 7).await;
    for limit in 1..=8 {
        let mut query = SessionQuery {
            limit,
            ..SessionQuery::default()
        };
        let mut users = Vec::new();
        loop {
            let page = here.realtime().sessions(&query).await.unwrap();
            users.extend(page.sessions.iter().map(|session| session.user.to_string()));
            let Some(next) = page.next else { break };
            query.after = Some(next);
        }
        users.sort();
        assert_eq!(
            users,
            (0..7).map(|i| format!("c{i}")).collect::<Vec<_>>(),
            "pages of {limit}"
        );
        let mut query = RoomQuery {
            limit,
            ..RoomQuery::default()
        };
        let mut rooms = Vec::new();
        loop {
            let page = here.realtime().rooms(&query).await.unwrap();
            rooms.extend(page.rooms);
            let Some(next) = page.next else { break };
            query.after = Some(next);
        }
        let counts: Vec<u64> = rooms.iter().map(|room| room.sessions).collect();
        assert_eq!(counts, [7, 1, 1, 1, 1, 1, 1, 1], "pages of {limit}");
    }
}

#[tokio::test]
async fn a_session_that_ends_and_a_node_that_drains_disappear_everywhere() {
    let (here, there) = nodes().await;
    let _one = RawSocket::connect_until_ready(&here, Role::Customer, "c1", json!({})).await;
    let two = RawSocket::connect_until_ready(&there, Role::Customer, "c2", json!({})).await;
    sees(here.realtime(), 2).await;
    drop(two);
    sees(here.realtime(), 1).await;
    let _three = RawSocket::connect_until_ready(&there, Role::Customer, "c3", json!({})).await;
    sees(here.realtime(), 2).await;
    there.realtime().drain(Duration::from_secs(5)).await;
    assert_eq!(
        sessions(here.realtime(), SessionQuery::default())
            .await
            .len(),
        1
    );
    assert_eq!(here.realtime().nodes().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_of_another_node_is_found_and_ended() {
    let (here, there) = nodes().await;
    let mut socket = RawSocket::connect_until_ready(&there, Role::Customer, "c1", json!({})).await;
    sees(here.realtime(), 1).await;
    let id = sessions(here.realtime(), SessionQuery::default()).await[0].id;
    here.realtime().disconnect_session(id).await.unwrap();
    assert_eq!(socket.rest().await, KICKED);
    sees(here.realtime(), 0).await;
}

#[tokio::test]
async fn a_node_without_a_directory_sees_its_own_sessions_at_once() {
    let server = TestServer::start(|builder| builder).await;
    let socket = RawSocket::connect_until_ready(&server, Role::Customer, "c1", json!({})).await;
    assert_eq!(
        sessions(server.realtime(), SessionQuery::default()).await,
        server.realtime().local_sessions()
    );
    assert_eq!(server.realtime().nodes().await.unwrap()[0].sessions, 1);
    drop(socket);
    eventually("the session to end", || {
        server.realtime().local_sessions().is_empty()
    })
    .await;
    assert_eq!(
        sessions(server.realtime(), SessionQuery::default()).await,
        []
    );
}
