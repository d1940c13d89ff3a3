//! Clients whose `auth` is frozen: they ask to be held, and say afterwards where they want to go
//! on.

use metaia_realtime::{Role, testing::TestServer};
use serde_json::json;

use crate::{
    order,
    support::{policy::Policy, raw_socket::Line},
    tick, user,
};

async fn held(server: &TestServer) -> Line {
    Line::beginning(server, Role::Customer, "c1", json!({ "hold": "true" }))
        .await
        .0
}

#[tokio::test]
async fn nothing_comes_before_rt_resume_and_then_all_of_it() {
    let server = TestServer::start(|builder| builder.order_access(Policy::new())).await;
    let since = tick(server.realtime(), user("c1"), 0).await;
    tick(server.realtime(), order("o1"), 1).await;
    let mut line = held(&server).await;
    tick(server.realtime(), user("c1"), 2).await;
    line.send(r#"421["leave_order_room","o9"]"#).await;
    line.send(r#"422["rt:resume",7]"#).await;
    assert_eq!(
        line.next().await.unwrap(),
        r#"432[{"status":"error","code":"malformed"}]"#
    );
    line.send(format!(
        r#"423["rt:resume",{{"since":"{since}","orders":["o1"]}}]"#
    ))
    .await;
    assert!(
        line.next()
            .await
            .unwrap()
            .starts_with(r#"42["tick",{"i":1"#)
    );
    assert!(
        line.next()
            .await
            .unwrap()
            .starts_with(r#"42["tick",{"i":2"#)
    );
    assert_eq!(
        line.next().await.unwrap(),
        r#"433[{"status":"ok","recovered":true,"replayed":2}]"#
    );
    assert!(
        line.next()
            .await
            .unwrap()
            .contains(r#""rooms":["customer-room","user-c1","order-o1"]"#)
    );
    assert_eq!(
        line.next().await.unwrap(),
        r#"431[{"status":"ok","room":"order-o9"}]"#,
        "it waited"
    );
}

#[tokio::test]
async fn a_position_that_cannot_be_honoured_is_a_reset_and_an_answer() {
    let server = TestServer::start(|builder| builder).await;
    let mut line = held(&server).await;
    line.send(r#"421["rt:resume",{"since":"nonsense"}]"#).await;
    assert!(
        line.next()
            .await
            .unwrap()
            .starts_with(r#"42["rt:reset",{"reason":"malformed""#)
    );
    assert_eq!(
        line.next().await.unwrap(),
        r#"431[{"status":"ok","recovered":false,"replayed":0}]"#
    );
    assert!(line.next().await.unwrap().starts_with(r#"42["rt:ready""#));
}

#[tokio::test]
async fn a_client_that_says_nothing_is_not_held_for_ever() {
    let server = TestServer::start(|builder| builder).await;
    let mut line = held(&server).await;
    assert!(line.next().await.unwrap().starts_with(r#"42["rt:ready""#));
    line.send(r#"421["rt:resume",{}]"#).await;
    assert_eq!(
        line.next().await.unwrap(),
        r#"431[{"status":"error","code":"not_held"}]"#
    );
}

#[tokio::test]
async fn what_waits_for_rt_resume_is_bounded() {
    let server = TestServer::start(|builder| builder).await;
    let mut line = held(&server).await;
    let big = "x".repeat(60_000);
    for _ in 0..20 {
        line.send(format!(r#"42["big","{big}"]"#)).await;
    }
    line.send(r#"421["rt:resume",{}]"#).await;
    let mut codes = Vec::new();
    while codes.len() < 20 {
        let packet = line.until(r#"42["rt:error""#).await;
        codes.push(packet.contains("rate_limited"));
    }
    let refused = codes.iter().filter(|refused| **refused).count();
    assert_eq!(refused, 16, "four of them are 256 KiB");
}
