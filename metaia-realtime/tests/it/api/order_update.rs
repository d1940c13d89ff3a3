//! `emit_order_update` reaches all who take part in the order, the courier among them.

use metaia_realtime::{Role, UserId, client::Updates, testing::TestServer};
use serde_json::json;

use crate::support::{event, next, policy::Policy, tick, ticks, user};

struct People {
    tailor: Updates,
    courier: Updates,
    customer: Updates,
}

fn id(user: &str) -> UserId {
    user.parse().unwrap()
}

async fn people(server: &TestServer) -> People {
    People {
        tailor: server.client(Role::Tailor, "t1").await.1,
        courier: server.client(Role::Delivery, "d1").await.1,
        customer: server.client(Role::Customer, "c1").await.1,
    }
}

#[tokio::test]
async fn the_courier_gets_one_copy_if_there_is_one() {
    let server = TestServer::start(|builder| builder.order_access(Policy::new())).await;
    let realtime = server.realtime();
    let mut people = people(&server).await;
    let order = "o1".parse().unwrap();
    let document = json!({ "_id": "o1", "status": "out_for_delivery" });

    let receipt = realtime
        .emit_order_update(&order, &id("c1"), Some(&id("t1")), &document)
        .courier(&id("d1"))
        .await
        .unwrap();

    for updates in [
        &mut people.tailor,
        &mut people.courier,
        &mut people.customer,
    ] {
        let update = event(updates, "order_update").await;
        assert_eq!(update.data["status"], "out_for_delivery");
        assert_eq!(update.data["_rt"]["id"], receipt.id.to_string());
    }
    // The courier's next event is the fence: there was one copy.
    tick(realtime, user("d1"), 7).await;
    assert_eq!(ticks(&mut people.courier, 1).await, [7]);
}

#[tokio::test]
async fn without_a_courier_the_guides_four_arguments_are_enough() {
    let server = TestServer::start(|builder| builder.order_access(Policy::new())).await;
    let realtime = server.realtime();
    let mut people = people(&server).await;
    let order = "o1".parse().unwrap();

    realtime
        .emit_order_update(&order, &id("c1"), None, &json!({ "status": "pending" }))
        .await
        .unwrap();

    assert_eq!(
        event(&mut people.customer, "order_update").await.data["status"],
        "pending"
    );
    for (updates, name) in [(&mut people.courier, "d1"), (&mut people.tailor, "t1")] {
        tick(realtime, user(name), 1).await;
        let fence = next(updates, "the fence", |update| match update {
            metaia_realtime::client::Update::Event(event) => Some(event.name),
            _ => None,
        });
        assert_eq!(fence.await, "tick", "{name} has no part in the order");
    }
}
