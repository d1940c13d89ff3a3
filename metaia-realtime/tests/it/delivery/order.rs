//! The order of events over each transport, while the client joins and leaves rooms.

use metaia_realtime::{
    Role,
    client::Transport,
    testing::{TestServer, within},
};

use crate::support::{limits, on_each_transport, policy::Policy, tick, ticks, user};

const EVENTS: u64 = 5_000;

on_each_transport! {
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    events_arrive_in_order_while_the_client_joins_and_leaves,
}

async fn events_arrive_in_order_while_the_client_joins_and_leaves(transport: Transport) {
    let server = TestServer::start(|builder| {
        builder.order_access(Policy::new()).limits(limits(|limits| {
            limits.inbound_per_s = 10_000;
            limits.inbound_burst = 10_000;
        }))
    })
    .await;
    let connecting = server
        .client_builder(Role::Customer, "c1")
        .transport(transport)
        .connect();
    let (client, mut updates) = within("a connection", connecting).await.unwrap();
    let publish = async {
        for i in 0..EVENTS {
            tick(server.realtime(), user("c1"), i).await;
        }
    };
    let join = async {
        for n in 0..40 {
            client.join_order(&format!("o{n}")).await.unwrap();
            client.leave_order(&format!("o{n}")).await.unwrap();
        }
    };
    let read = within("all events", ticks(&mut updates, EVENTS as usize));
    let ((), (), numbers) = tokio::join!(publish, join, read);
    assert_eq!(numbers, (0..EVENTS).collect::<Vec<_>>());
}
