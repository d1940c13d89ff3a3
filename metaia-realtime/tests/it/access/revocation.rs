//! Revoked tokens over real connections: a client is told, stays away, and is refused.

use metaia_realtime::{
    MemoryLog, Role,
    auth::{AuthError, Credentials},
    client::{Client, ConnectError, GaveUp, Transport, Update, Updates},
    revocation::{MemoryRevocations, Revocation},
    testing::TestServer,
};

use crate::support::{connect, next, on_each_transport, ready, tick, ticks, user};

on_each_transport! {
    #[tokio::test]
    a_client_whose_token_is_revoked_gives_up_on_every_node,
    a_revoked_token_is_refused_and_the_refusal_names_its_user,
}

async fn gave_up(updates: &mut Updates) -> GaveUp {
    next(updates, "the end", |update| match update {
        Update::GaveUp(reason) => Some(reason),
        _ => None,
    })
    .await
}

/// Two nodes that share the log and the revocations.
async fn nodes() -> [TestServer; 2] {
    let log = MemoryLog::default();
    let store = MemoryRevocations::shared();
    let start = async || {
        let log = log.clone();
        let store = store.clone();
        TestServer::start(|builder| builder.log(log).revocation_store(store)).await
    };
    [start().await, start().await]
}

async fn a_client_whose_token_is_revoked_gives_up_on_every_node(transport: Transport) {
    let [here, there] = nodes().await;
    let (_one, mut one) = connect(&here, transport, Role::Customer, "c1").await;
    let (_two, mut two) = connect(&there, transport, Role::Customer, "c1").await;
    let (_other, mut other) = connect(&there, transport, Role::Customer, "c2").await;
    ready(&mut two).await;
    let revocation = Revocation::of_user("c1".parse().unwrap(), i64::MAX);
    here.realtime().revoke(revocation).await.unwrap();
    assert_eq!(gave_up(&mut one).await, GaveUp::ServerDisconnect);
    assert_eq!(gave_up(&mut two).await, GaveUp::ServerDisconnect);
    tick(here.realtime(), user("c2"), 1).await;
    assert_eq!(ticks(&mut other, 1).await, [1]);
}

async fn a_revoked_token_is_refused_and_the_refusal_names_its_user(transport: Transport) {
    let [server, _] = nodes().await;
    let token = server.token(Role::Tailor, "t1");
    let revocation = Revocation::of_user("t1".parse().unwrap(), i64::MAX);
    server.realtime().revoke(revocation).await.unwrap();
    let client = Client::builder(server.url())
        .transport(transport)
        .token(&token);
    let refused = client.connect().await.map(drop);
    let is_revoked = matches!(
        &refused,
        Err(ConnectError::Refused { message, .. }) if message == "token_revoked"
    );
    assert!(is_revoked, "{refused:?}");
    let credentials = Credentials::bearer(Some(&token));
    let refused = server.realtime().authenticate(credentials).await;
    assert_eq!(refused, Err(AuthError::Revoked));
    let refusals = server.realtime().refusals(0);
    assert_eq!(refusals[0].code, "token_revoked");
    assert_eq!(refusals[0].user, Some("t1".parse().unwrap()));
    assert_eq!(refusals[0].role, Some(Role::Tailor));
}
