//! Events of clients that write JSON in their own way, and binary: answered like any unknown event,
//! and the connection stays.

use metaia_realtime::{HandlerError, Role, client::Transport, testing::TestServer};
use serde_json::{Value, json};

use crate::support::{on_each_transport, raw_client::RawClient};

on_each_transport! {
    #[tokio::test]
    an_odd_event_is_answered_and_the_connection_stays,
    a_name_in_escapes_is_the_same_name,
    further_arguments_are_ignored_for_the_guides_events_and_malformed_for_others,
    binary_is_refused_and_the_connection_stays,
}

/// Packets, and the refusals that answer them: the event's name and the code.
const ODD: [(&str, &str, &str); 14] = [
    (r#"["a\"b",1]"#, "a\"b", "unknown_event"),
    (r#"["back\\slash"]"#, "back\\slash", "unknown_event"),
    (r#"["line\nbreak"]"#, "line\nbreak", "unknown_event"),
    (r#"["\u00fc\u00df",{"x":"\u00fc"}]"#, "üß", "unknown_event"),
    (r#"["größe"]"#, "größe", "unknown_event"),
    (r#"["\ud83d\ude00"]"#, "😀", "unknown_event"),
    (r#"[""]"#, "", "unknown_event"),
    (r#"["",null]"#, "", "unknown_event"),
    ("[7,8]", "7", "unknown_event"),
    ("[-1.5]", "-1.5", "unknown_event"),
    (r#"["connect"]"#, "connect", "unknown_event"),
    ("[]", "", "malformed"),
    (r#"[{"name":1}]"#, "", "malformed"),
    (r#"["x""#, "", "malformed"),
];

const ANSWERED: &str = r#"["pair",1,2]"#;

async fn server_with_handlers() -> TestServer {
    TestServer::start(|builder| {
        builder.on("pair", |_, number: u64| async move {
            Ok::<_, HandlerError>(number)
        })
    })
    .await
}

fn refused(packet: &str) -> (String, String) {
    let json: Value = serde_json::from_str(&packet[2..]).unwrap();
    assert_eq!(json[0], "rt:error", "{packet}");
    let text = |member: &str| json[1][member].as_str().unwrap_or_default().to_owned();
    (text("event"), text("code"))
}

async fn an_odd_event_is_answered_and_the_connection_stays(transport: Transport) {
    let server = server_with_handlers().await;
    let mut socket =
        RawClient::connect_until_ready(&server, transport, (Role::Customer, "c1"), json!({})).await;
    for (payload, name, code) in ODD {
        socket.send(format!("42{payload}")).await;
        let error = socket.until("42[\"rt:error\"").await;
        assert_eq!(
            refused(&error),
            (name.to_owned(), code.to_owned()),
            "{payload}"
        );
        socket.send(format!("425{payload}")).await;
        let ack = socket.until("435").await;
        assert!(ack.contains(code), "{payload}: {ack}");
    }
    socket.send(r#"421["pair",3]"#).await;
    assert_eq!(socket.until("431").await, "431[3]");
}

async fn a_name_in_escapes_is_the_same_name(transport: Transport) {
    let server = server_with_handlers().await;
    let mut socket =
        RawClient::connect_until_ready(&server, transport, (Role::Customer, "c1"), json!({})).await;
    socket.send(r#"421["p\u0061ir",7]"#).await;
    assert_eq!(socket.until("431").await, "431[7]");
    socket.send(r#"422["leave\u005forder_room","o1"]"#).await;
    assert!(socket.until("432").await.contains("ok"));
}

async fn further_arguments_are_ignored_for_the_guides_events_and_malformed_for_others(
    transport: Transport,
) {
    let server = server_with_handlers().await;
    let mut socket =
        RawClient::connect_until_ready(&server, transport, (Role::Customer, "c1"), json!({})).await;
    socket
        .send(r#"421["leave_order_room","o1","and more"]"#)
        .await;
    assert!(socket.until("431").await.contains("ok"));
    socket.send(format!("422{ANSWERED}")).await;
    assert!(socket.until("432").await.contains("malformed"));
    socket.send(r#"423["nothing",1,2]"#).await;
    assert!(socket.until("433").await.contains("unknown_event"));
}

async fn binary_is_refused_and_the_connection_stays(transport: Transport) {
    let server = server_with_handlers().await;
    let mut socket =
        RawClient::connect_until_ready(&server, transport, (Role::Customer, "c1"), json!({})).await;
    for (name, code) in [
        ("upload", "unknown_event"),
        ("pair", "malformed"),
        ("join_order_room", "malformed"),
    ] {
        socket
            .send(format!(
                r#"451-3["{name}",{{"_placeholder":true,"num":0}}]"#
            ))
            .await;
        socket.send_bytes(b"attachment").await;
        let ack = socket.until("433").await;
        assert!(ack.contains(code), "{name}: {ack}");
    }
    socket.send_bytes(b"out of the blue").await;
    socket.send(r#"461-9[{"_placeholder":true,"num":0}]"#).await;
    for ack in ["43[]", "437[1]", "4399999999999999999999[1]"] {
        socket.send(ack).await;
    }
    socket.send(r#"421["pair",1]"#).await;
    assert_eq!(socket.until("431").await, "431[1]");
}

#[tokio::test]
async fn a_handler_may_not_have_a_name_that_json_escapes() {
    let built = metaia_realtime::Realtime::builder()
        .authenticator(metaia_realtime::JwtAuthenticator::hs256("0123456789abcdef").unwrap())
        .on(
            "a\"b",
            |_, _: Value| async move { Ok::<_, HandlerError>(1) },
        )
        .build()
        .await;
    assert!(built.is_err());
}
