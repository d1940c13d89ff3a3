//! Rechecks while the policy fails.

use std::time::Duration;

use metaia_realtime::{
    Role,
    client::{Transport, Update, Updates},
    testing::{TestServer, eventually},
};

use super::{client_in_room, server_with_policy};
use crate::support::{limits, next, on_each_transport, order, policy::Policy, tick, ticks, user};

on_each_transport! {
    #[tokio::test]
    a_recheck_that_stays_undecided_costs_the_room_and_no_event_of_another,
    a_client_that_reconnects_while_access_is_undecided_misses_nothing,
}

/// Returns the number of the next `tick`, or the reason of the next `rt:room_left`.
async fn tick_or_reason(updates: &mut Updates) -> String {
    next(updates, "a tick or rt:room_left", |update| match update {
        Update::Event(event) if event.name == "tick" => Some(event.data["i"].to_string()),
        Update::Event(event) if event.name == "rt:room_left" => {
            event.data["reason"].as_str().map(str::to_owned)
        }
        _ => None,
    })
    .await
}

async fn a_recheck_that_stays_undecided_costs_the_room_and_no_event_of_another(
    transport: Transport,
) {
    let policy = Policy::new();
    let short = limits(|limits| limits.recheck_hold = Duration::from_millis(500));
    let server =
        TestServer::start(|builder| builder.order_access(policy.clone()).limits(short)).await;
    let (_tailor, mut updates) = client_in_room(&server, transport, Role::Tailor, "t1").await;
    let realtime = server.realtime();
    policy.set_failing(true);
    tick(realtime, order("o1"), 1).await;
    realtime
        .recheck_order(&"o1".parse().unwrap())
        .await
        .unwrap();
    tick(realtime, order("o1"), 2).await;
    tick(realtime, user("t1"), 3).await;
    for expected in ["1", "unavailable", "3"] {
        assert_eq!(tick_or_reason(&mut updates).await, expected);
    }
    tick(realtime, order("o1"), 4).await;
    tick(realtime, user("t1"), 5).await;
    assert_eq!(ticks(&mut updates, 1).await, [5]);
}

/// Events of other rooms that were handed over meanwhile would have moved its position beyond those
/// of the room.
async fn a_client_that_reconnects_while_access_is_undecided_misses_nothing(transport: Transport) {
    let (server, policy) = server_with_policy().await;
    let (client, mut updates) = client_in_room(&server, transport, Role::Tailor, "t1").await;
    let realtime = server.realtime();
    tick(realtime, user("t1"), 1).await;
    assert_eq!(ticks(&mut updates, 1).await, [1]);
    policy.set_failing(true);
    realtime
        .recheck_order(&"o1".parse().unwrap())
        .await
        .unwrap();
    tick(realtime, order("o1"), 2).await;
    tick(realtime, user("t1"), 3).await;
    eventually("the policy to have failed twice", || policy.asked() >= 3).await;
    let since = client.position().unwrap();
    drop(client);
    policy.set_failing(false);
    let returning = server
        .client_builder(Role::Tailor, "t1")
        .transport(transport)
        .since(since);
    let (_client, mut updates) = returning.orders(["o1"]).connect().await.unwrap();
    assert_eq!(ticks(&mut updates, 2).await, [2, 3]);
}
