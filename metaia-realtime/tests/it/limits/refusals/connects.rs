//! Clients that are refused after their handshake.

use std::time::Duration;

use metaia_realtime::{
    Authenticator, Identity, JwtAuthenticator, Role,
    auth::{AuthError, Credentials, sign_hs256},
    client::Transport,
    presence::RefusalView,
    testing::{TestServer, eventually},
};
use serde_json::{Value, json};

use super::{super::server_with, expect};
use crate::support::{
    limits, on_each_transport, policy::Policy, poller::Poller, raw_client::RawClient,
    raw_socket::RawSocket,
};

on_each_transport! {
    #[tokio::test]
    a_refused_token_is_listed_with_whom_it_proves,
    each_refusal_of_an_authenticator_is_listed,
    a_client_that_finds_no_place_after_its_handshake_is_listed_with_its_user,
    a_client_without_connect_is_listed,
    an_event_before_connect_is_listed,
    an_authenticator_that_is_late_is_listed,
    another_namespace_is_listed,
    what_is_refused_after_connecting_is_not_listed,
}

/// Returns the name that the list has for what a client ends up with.
const fn name(transport: Transport) -> Option<&'static str> {
    match transport {
        Transport::Polling => Some("polling"),
        _ => Some("websocket"),
    }
}

const SECRET: &str = "a secret of a test";

fn token(claims: &Value) -> Value {
    json!({ "token": sign_hs256(claims, SECRET).unwrap() })
}

async fn with_secret() -> TestServer {
    let authenticator = JwtAuthenticator::hs256(SECRET).unwrap();
    TestServer::start(|builder| builder.authenticator(authenticator)).await
}

async fn a_refused_token_is_listed_with_whom_it_proves(transport: Transport) {
    let server = with_secret().await;
    let foreign = json!({ "userId": "c1", "role": "customer", "exp": 4_000_000_000_u64 });
    let foreign = json!({ "token": sign_hs256(&foreign, "another secret").unwrap() });
    let expired = token(&json!({ "userId": "c1", "role": "tailor", "exp": 1 }));
    let king = token(&json!({ "userId": "k1", "role": "king", "exp": 4_000_000_000_u64 }));
    let mut socket = RawClient::open(&server, transport).await;
    for auth in [foreign, expired, king] {
        socket.send(format!("40{auth}")).await;
        socket.until("44").await;
    }
    let listed = expect(&server, &["forbidden", "token_expired", "unauthorized"]).await;
    let known = |refusal: &RefusalView| {
        let user = refusal.user.as_ref().map(ToString::to_string);
        (user.unwrap_or_default(), refusal.role)
    };
    let nobody = (String::new(), None);
    let tailor = ("c1".to_owned(), Some(Role::Tailor));
    let known: Vec<_> = listed.iter().map(known).collect();
    assert_eq!(known, [("k1".to_owned(), None), tailor, nobody]);
    assert!(
        listed
            .iter()
            .all(|refusal| refusal.transport == name(transport))
    );
    let counted = server.realtime().stats().connects_refused;
    assert_eq!(counted.values().sum::<u64>(), 3);
}

/// Refuses with the error that the token names.
struct Refusing;

impl Authenticator for Refusing {
    async fn authenticate(&self, credentials: Credentials) -> Result<Identity, AuthError> {
        let code = credentials.token.unwrap_or_default();
        let errors = AuthError::ALL.iter();
        let error = errors.copied().find(|error| error.code() == &*code);
        Err(error.unwrap_or(AuthError::Unauthorized))
    }
}

/// Never answers.
struct Never;

impl Authenticator for Never {
    async fn authenticate(&self, _: Credentials) -> Result<Identity, AuthError> {
        std::future::pending().await
    }
}

async fn each_refusal_of_an_authenticator_is_listed(transport: Transport) {
    let server = TestServer::start(|builder| builder.authenticator(Refusing)).await;
    for error in AuthError::ALL {
        let mut socket = RawClient::open(&server, transport).await;
        socket
            .send(format!("40{}", json!({ "token": error.code() })))
            .await;
        if *error == AuthError::Unavailable {
            socket.rest().await;
        } else {
            socket.until("44").await;
        }
    }
    let codes: Vec<_> = AuthError::ALL
        .iter()
        .rev()
        .map(|error| error.code())
        .collect();
    expect(&server, &codes).await;
}

async fn a_client_that_finds_no_place_after_its_handshake_is_listed_with_its_user(
    transport: Transport,
) {
    let server = server_with(|limits| limits.sessions = 1).await;
    let mut first = RawClient::open(&server, transport).await;
    let mut second = RawClient::open(&server, transport).await;
    first.send_connect((Role::Customer, "c1"), json!({})).await;
    first.until("40{").await;
    second.send_connect((Role::Delivery, "d1"), json!({})).await;
    second.rest().await;
    // One that polls once more is refused like a new one, and proves nobody then.
    let of_user = || {
        let mut listed = server.realtime().refusals(0);
        listed.retain(|refusal| refusal.user.is_some());
        listed
    };
    eventually("the refusal", || !of_user().is_empty()).await;
    let refusal = of_user().swap_remove(0);
    assert_eq!(refusal.code, "too_many_sessions");
    assert_eq!(refusal.user, Some("d1".parse().unwrap()));
    assert_eq!(
        (refusal.role, refusal.transport),
        (Some(Role::Delivery), name(transport))
    );
    assert_eq!(server.realtime().stats().connects_refused["unavailable"], 1);
}

async fn another_namespace_is_listed(transport: Transport) {
    let server = server_with(|_| {}).await;
    let mut socket = RawClient::open(&server, transport).await;
    socket.send("40/admin,").await;
    socket.until("44/admin,").await;
    let listed = expect(&server, &["invalid_namespace"]).await;
    assert_eq!(listed[0].transport, name(transport));
}

async fn what_is_refused_after_connecting_is_not_listed(transport: Transport) {
    let policy = Policy::new();
    policy.deny("c1");
    let server = TestServer::start(|builder| builder.order_access(policy)).await;
    let who = (Role::Customer, "c1");
    let mut socket = RawClient::connect_until_ready(&server, transport, who, json!({})).await;
    socket.send(r#"421["join_order_room","o1"]"#).await;
    assert!(socket.until("431").await.contains("forbidden"));
    socket.send(r#"42["nothing"]"#).await;
    socket.until("42[\"rt:error\"").await;
    expect(&server, &[]).await;
}

async fn a_client_without_connect_is_listed(transport: Transport) {
    let short = Duration::from_secs(1);
    let server = server_with(|limits| limits.unauthenticated = short).await;
    let mut socket = RawClient::open(&server, transport).await;
    socket.rest().await;
    let listed = expect(&server, &["no_connect"]).await;
    assert_eq!(listed[0].transport, name(transport));
}

async fn an_event_before_connect_is_listed(transport: Transport) {
    let server = server_with(|_| {}).await;
    let mut socket = RawClient::open(&server, transport).await;
    socket.send(r#"42["x"]"#).await;
    socket.rest().await;
    let listed = expect(&server, &["not_connected"]).await;
    assert_eq!(listed[0].transport, name(transport));
}

async fn an_authenticator_that_is_late_is_listed(transport: Transport) {
    let short = limits(|limits| limits.unauthenticated = Duration::from_secs(1));
    let server = TestServer::start(|builder| builder.authenticator(Never).limits(short)).await;
    let mut socket = RawClient::open(&server, transport).await;
    socket.send("40").await;
    socket.rest().await;
    let listed = expect(&server, &["unavailable"]).await;
    assert_eq!(listed[0].transport, name(transport));
}

#[tokio::test]
async fn a_client_is_described_by_its_handshake_when_its_connect_is_refused() {
    let server = with_secret().await;
    let headers = [("user-agent", "Dart/3.1"), ("origin", "https://a.example")];
    let mut socket = RawSocket::open_with(&server, &headers).await.unwrap();
    socket.send("40").await;
    socket.until("44").await;
    let headers = "User-Agent: Dart/3.1\r\nOrigin: https://a.example\r\n";
    let phone = Poller::open_with(&server, headers).await;
    phone.post(&server, "40").await;
    phone.receive_until(&server, "44").await;
    let mut socket = phone.upgrade(&server).await;
    socket.send("40{}").await;
    socket.until("44").await;
    let listed = server.realtime().refusals(0);
    let transports: Vec<_> = listed
        .iter()
        .filter_map(|refusal| refusal.transport)
        .collect();
    assert_eq!(transports, ["websocket", "polling"]);
    assert_eq!((listed[0].count, listed[1].count), (2, 1));
    for refusal in &listed {
        assert_eq!(refusal.user_agent.as_deref(), Some("Dart/3.1"));
        assert_eq!(refusal.origin.as_deref(), Some("https://a.example"));
    }
}
