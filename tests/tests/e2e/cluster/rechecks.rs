//! The policy is asked again on every node: after an assignment, after a cancellation, and after a
//! session has got another role. What a client lost, it lost within a second, with Redis and
//! without. `rt:sync` proves that nothing of the room comes afterwards.

use std::time::{Duration, Instant};

use metaia_tests::clients::phone::{Event, Phone};
use metaia_tests::fixtures::token::token;
use metaia_tests::fixtures::{assign, emit, id_of, names, place_order_at, set_status};
use metaia_tests::server::Server;
use mongodb::bson::{Document, doc};
use serde_json::{Value, json};

use super::Pair;

/// The longest time until a client has lost what it may not follow any more.
const LOSS_TIMEOUT: Duration = Duration::from_secs(1);

/// An order of `c1` with its tailor `t1` and its courier `d1`.
struct Order {
    document: Value,
    room: String,
}

impl Order {
    async fn place(server: &Server) -> Self {
        let order = place_order_at(server, "c1", "t1").await;
        let courier = json!({"deliveryPartner": "d1"});
        let document = assign(server, id_of(&order), &courier).await;
        let room = format!("order-{}", id_of(&document));
        Self { document, room }
    }

    fn id(&self) -> &str {
        id_of(&self.document)
    }

    /// Connects in the order's room.
    async fn follow(&self, server: &Server, role: &str, user: &str) -> Phone {
        let auth = json!({"token": token(role, user), "orders": [self.id()]});
        let mut phone = Phone::connected(server, &auth).await;
        let ready = phone.event("rt:ready").await;
        assert!(is_in(&ready, &self.room), "{role}:{user}: {ready}");
        phone
    }

    async fn emit(&self, server: &Server) {
        let to = json!({"order": self.id()});
        emit(server, &to, "test:room", &json!({})).await;
    }

    /// Checks that a phone has lost the room in time since then, and receives nothing of it.
    async fn assert_lost(&self, phone: &mut Phone, since: Instant, servers: [&Server; 2]) {
        let mut left = phone.event("rt:room_left").await;
        if left["reason"] == "role_changed" {
            // The room of the role comes first.
            left = phone.event("rt:room_left").await;
        }
        let took = since.elapsed();
        assert!(took < LOSS_TIMEOUT, "{took:?}");
        assert_eq!(left, json!({"room": self.room, "reason": "access_revoked"}));
        for server in servers {
            self.emit(server).await;
        }
        let (fence, events) = up_to_sync(phone).await;
        assert!(!is_in(&fence, &self.room), "{fence}");
        assert!(!names(&events).contains(&"test:room"), "{events:#?}");
        let again = phone.call("join_order_room", &json!(self.id())).await;
        assert_eq!(again["code"], "forbidden", "{again}");
    }

    /// Checks that a phone is in the room and receives what is sent to it.
    async fn assert_kept(&self, phone: &mut Phone, server: &Server) {
        self.emit(server).await;
        let (fence, events) = up_to_sync(phone).await;
        assert!(is_in(&fence, &self.room), "{fence}");
        assert!(names(&events).contains(&"test:room"), "{events:#?}");
        assert!(!names(&events).contains(&"rt:room_left"), "{events:#?}");
    }
}

fn is_in(answer: &Value, room: &str) -> bool {
    let rooms = answer["rooms"].as_array().expect("rooms");
    rooms.contains(&json!(room))
}

/// Returns the answer to `rt:sync`, and everything that came before it.
async fn up_to_sync(phone: &mut Phone) -> (Value, Vec<Event>) {
    let fence = phone.call("rt:sync", &json!({})).await;
    assert_eq!(fence["status"], "ok", "{fence}");
    (fence, phone.arrived())
}

/// Runs a test on two nodes with Redis, and on two nodes whose Redis has been stopped.
async fn with_and_without_redis(test: impl AsyncFn(&Pair)) {
    let mut pair = Pair::start().await;
    test(&pair).await;
    pair.redis.kill().await;
    test(&pair).await;
}

#[tokio::test]
async fn a_replaced_courier_loses_the_room_on_every_node() {
    with_and_without_redis(async |Pair { nodes, .. }| {
        let order = Order::place(&nodes[0]).await;
        let mut courier = order.follow(&nodes[0], "delivery", "d1").await;
        let mut at_other_node = order.follow(&nodes[1], "delivery", "d1").await;
        let mut owner = order.follow(&nodes[1], "customer", "c1").await;
        assign(&nodes[0], order.id(), &json!({"deliveryPartner": "d2"})).await;
        let since = Instant::now();
        let servers = [&nodes[0], &nodes[1]];
        let both = (&mut courier, &mut at_other_node);
        tokio::join!(
            order.assert_lost(both.0, since, servers),
            order.assert_lost(both.1, since, servers),
        );
        order.assert_kept(&mut owner, &nodes[0]).await;
        for server in servers {
            order.follow(server, "delivery", "d2").await;
        }
    })
    .await;
}

/// All who could read the order still can: the rule is that of `GET /api/orders/{id}`.
#[tokio::test]
async fn the_people_of_a_cancelled_order_stay_in_its_room_on_every_node() {
    with_and_without_redis(async |Pair { nodes, .. }| {
        let order = Order::place(&nodes[0]).await;
        let mut phones = Vec::new();
        for server in [&nodes[0], &nodes[1]] {
            phones.push(order.follow(server, "customer", "c1").await);
            phones.push(order.follow(server, "tailor", "t1").await);
            phones.push(order.follow(server, "delivery", "d1").await);
            phones.push(order.follow(server, "admin", "a1").await);
        }
        set_status(&nodes[0], order.id(), "cancelled").await;
        for phone in &mut phones {
            order.assert_kept(phone, &nodes[1]).await;
        }
        for server in [&nodes[0], &nodes[1]] {
            let path = format!("/api/orders/{}", order.id());
            server.api("tailor", "t1").get(&path).await.ok(200);
            server.api("tailor", "t2").get(&path).await.ok(404);
            let mut stranger = Phone::ready_as(server, "tailor", "t2").await;
            let refused = stranger.call("join_order_room", &json!(order.id())).await;
            assert_eq!(refused["code"], "forbidden", "{refused}");
        }
    })
    .await;
}

/// Writes another tailor into the order, past the server, which thus asks nobody again.
async fn replace_tailor_in_the_database(pair: &Pair, order: &Order) {
    let client = mongodb::Client::with_uri_str(pair.database.uri())
        .await
        .unwrap();
    let database = client.default_database().unwrap();
    let orders = database.collection::<Document>("orders");
    let filter = doc! {"orderNumber": order.document["orderNumber"].as_str().unwrap()};
    let update = doc! {"$set": {"tailor": "t9"}};
    let updated = orders.update_one(filter, update).await.unwrap();
    assert_eq!(updated.modified_count, 1);
}

#[tokio::test]
async fn a_cancellation_asks_the_policy_again_on_every_node() {
    with_and_without_redis(async |pair| {
        let nodes = &pair.nodes;
        let order = Order::place(&nodes[0]).await;
        let mut tailor = order.follow(&nodes[0], "tailor", "t1").await;
        let mut at_other_node = order.follow(&nodes[1], "tailor", "t1").await;
        replace_tailor_in_the_database(pair, &order).await;
        order.assert_kept(&mut at_other_node, &nodes[0]).await;
        set_status(&nodes[0], order.id(), "cancelled").await;
        let since = Instant::now();
        let servers = [&nodes[0], &nodes[1]];
        tokio::join!(
            order.assert_lost(&mut tailor, since, servers),
            order.assert_lost(&mut at_other_node, since, servers),
        );
    })
    .await;
}

/// The role is that of the session's own token. A session of the user at another node has another
/// token, which says what it said.
#[tokio::test]
async fn a_session_that_gets_another_role_loses_what_it_may_not_follow() {
    with_and_without_redis(async |Pair { nodes, .. }| {
        let order = Order::place(&nodes[0]).await;
        let servers = [&nodes[0], &nodes[1]];
        let mut changed = order.follow(&nodes[0], "customer", "c1").await;
        let mut other = order.follow(&nodes[1], "customer", "c1").await;
        change_role(&mut changed, &order, servers).await;
        order.assert_kept(&mut other, &nodes[0]).await;
        assert_in_role_room(&mut other, &nodes[0], true).await;
        assert_in_role_room(&mut changed, &nodes[1], false).await;
        change_role(&mut other, &order, servers).await;
        assert_in_role_room(&mut other, &nodes[0], false).await;
    })
    .await;
}

/// Makes a session of the order's customer one of a tailor with the same id.
async fn change_role(phone: &mut Phone, order: &Order, servers: [&Server; 2]) {
    let since = Instant::now();
    let next = json!({"token": token("tailor", "c1")});
    let answer = phone.call("rt:refresh", &next).await;
    assert_eq!(answer["status"], "ok", "{answer}");
    order.assert_lost(phone, since, servers).await;
}

/// Checks whether a phone receives what is sent to the customers.
async fn assert_in_role_room(phone: &mut Phone, server: &Server, expected: bool) {
    let to = json!({"role": "customer"});
    emit(server, &to, "test:role", &json!({})).await;
    let (fence, events) = up_to_sync(phone).await;
    assert_eq!(is_in(&fence, "customer-room"), expected, "{fence}");
    let has_come = names(&events).contains(&"test:role");
    assert_eq!(has_come, expected, "{events:#?}");
}
