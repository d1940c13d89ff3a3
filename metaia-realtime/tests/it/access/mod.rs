//! Joins, rechecks, disconnects, and the ends of sessions.

mod disconnect;
mod endings;
mod joins;
mod last_packet;
mod refresh;
mod revocation;
mod undecided;
mod unreadable;

use metaia_realtime::{
    Role,
    client::{Client, Transport, Updates},
    testing::TestServer,
};

use crate::support::{connect, policy::Policy};

async fn server_with_policy() -> (TestServer, Policy) {
    let policy = Policy::new();
    let server = TestServer::start(|builder| builder.order_access(policy.clone())).await;
    (server, policy)
}

/// Connects a client that is in the room of the order `o1`.
async fn client_in_room(
    server: &TestServer,
    transport: Transport,
    role: Role,
    id: &str,
) -> (Client, Updates) {
    let (client, updates) = connect(server, transport, role, id).await;
    client.join_order("o1").await.unwrap();
    (client, updates)
}
