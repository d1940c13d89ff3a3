//! The effect of each use case on the records, and the events that it logs, in order and with their
//! rooms.

use std::sync::Arc;

use metaia_realtime::{AccessDecision, Identity, OrderAccess as _, OrderId, PublishReceipt, Role};
use serde_json::{Value, json};

use super::{
    OrderChange, ServiceError,
    testing::{On, World, caller, on_both_stores, reply_of},
};
use crate::{
    auth::policy::StoreAccess,
    model::{Caller, Order, Precondition},
    store::{Change, StoredReply, Write},
};

on_both_stores!(
    World: a_new_order_notifies_its_customer_and_its_tailor,
    access_is_rechecked_before_an_assignment_is_published,
    access_is_rechecked_after_a_cancellation_is_published,
    a_step_notifies_the_customer_and_the_workers_concerned,
    the_second_of_two_steps_at_once_is_decided_on_what_the_first_left,
    the_policy_admits_only_the_users_of_an_order,
    a_retry_at_once_and_after_a_restart_gets_the_first_answer,
    a_key_belongs_to_one_user_and_one_route,
    an_emit_returns_the_position_of_its_event_and_so_does_its_retry,
);

fn body(reply: &StoredReply) -> Value {
    serde_json::from_str(&reply.body).unwrap()
}

fn receipt_of(receipt: Option<&PublishReceipt>) -> StoredReply {
    reply_of(&receipt.map(|receipt| (receipt.id, receipt.position)))
}

fn from<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

async fn place(world: &World, mut new: Value) -> Order {
    new["items"] = json!([{ "garment": "kurta", "quantity": 1, "price": 900 }]);
    let customer = caller(Role::Customer, "c1");
    let placed = world
        .services
        .place_order(&customer, None, from(new), reply_of)
        .await
        .unwrap();
    from(body(&placed.reply))
}

/// Returns the events after `after` as `name → rooms`.
async fn published(world: &World, after: u64) -> Vec<String> {
    let logged = world.logged_after(after).await;
    logged
        .into_iter()
        .map(|(name, rooms, _)| format!("{name} → {}", rooms.join(" ")))
        .collect()
}

async fn assign(world: &World, order: &OrderId, seats: Value) -> StoredReply {
    world
        .services
        .assign(
            &caller(Role::Admin, "a1"),
            None,
            request(order, from(seats)),
            reply_of,
        )
        .await
        .unwrap()
        .reply
}

async fn set(
    world: &World,
    who: (Role, &str),
    order: &OrderId,
    status: &str,
) -> Result<StoredReply, ServiceError> {
    let change = request(order, from(json!({ "status": status })));
    let done = world
        .services
        .set_status(&caller(who.0, who.1), None, change, reply_of)
        .await;
    done.map(|done| done.reply)
}

/// Returns a request without a condition on the order's version.
fn request<T>(order: &OrderId, body: T) -> OrderChange<T> {
    OrderChange {
        order: order.clone(),
        seen: Precondition::None,
        body,
    }
}

async fn a_new_order_notifies_its_customer_and_its_tailor(world: World) {
    let order = place(&world, json!({ "tailor": "t1" })).await;
    let id = &order.id;
    assert_eq!(
        published(&world, 0).await,
        [
            format!("order_update → order-{id} admin-room user-c1 user-t1"),
            "new_notification → user-c1".to_owned(),
            "new_notification → user-t1".to_owned(),
        ]
    );
    let logged = world.logged_after(0).await;
    assert_eq!(logged[0].2, serde_json::to_value(&order).unwrap());
    assert_eq!(logged[1].2["title"], "Order Placed Successfully");
    assert_eq!(
        logged[1].2["message"],
        format!("Order {} created", order.order_number)
    );
    assert_eq!(logged[1].2["relatedOrder"], json!(id));
}

async fn access_is_rechecked_before_an_assignment_is_published(world: World) {
    let order = place(&world, json!({ "tailor": "t1" })).await;
    let id = &order.id;
    let before = world.head().await;
    assign(
        &world,
        id,
        json!({ "tailor": "t2", "deliveryPartner": "d1" }),
    )
    .await;
    assert_eq!(
        published(&world, before).await,
        [
            format!("rt:recheck → order-{id}"),
            format!("order_update → order-{id} admin-room user-c1 user-t2 user-d1"),
            "new_notification → user-t2".to_owned(),
            "new_notification → user-d1".to_owned(),
            "new_notification → user-t1".to_owned(),
        ]
    );
    let before = world.head().await;
    let again = assign(&world, id, json!({ "tailor": "t2" })).await;
    assert_eq!(
        (body(&again)["version"].as_u64(), world.head().await),
        (Some(2), before)
    );
    let cleared = assign(&world, id, json!({ "tailor": null })).await;
    assert_eq!(body(&cleared)["tailor"], Value::Null);
}

async fn access_is_rechecked_after_a_cancellation_is_published(world: World) {
    let order = place(&world, json!({ "tailor": "t1" })).await;
    let id = &order.id;
    let admin = (Role::Admin, "a1");
    let before = world.head().await;
    set(&world, admin, id, "confirmed").await.unwrap();
    let is_recheck = |event: &String| event.starts_with("rt:recheck");
    assert!(!published(&world, before).await.iter().any(is_recheck));
    let before = world.head().await;
    set(&world, admin, id, "cancelled").await.unwrap();
    let events = published(&world, before).await;
    assert_eq!(
        events[..2],
        [
            format!("order_update → order-{id} admin-room user-c1 user-t1"),
            format!("rt:recheck → order-{id}"),
        ]
    );
}

async fn a_step_notifies_the_customer_and_the_workers_concerned(world: World) {
    let order = place(&world, json!({ "tailor": "t1" })).await;
    let id = &order.id;
    assign(&world, id, json!({ "deliveryPartner": "d1" })).await;
    for (who, status, receivers) in [
        (
            (Role::Admin, "a1"),
            "confirmed",
            &["user-c1", "user-t1"][..],
        ),
        ((Role::Tailor, "t1"), "in_progress", &["user-c1"]),
        ((Role::Tailor, "t1"), "ready", &["user-c1", "user-d1"]),
        ((Role::Delivery, "d1"), "out_for_delivery", &["user-c1"]),
        ((Role::Admin, "a1"), "delivered", &["user-c1", "user-d1"]),
    ] {
        let before = world.head().await;
        set(&world, who, id, status).await.unwrap();
        let published = published(&world, before).await;
        let notifications: Vec<_> = receivers
            .iter()
            .map(|room| format!("new_notification → {room}"))
            .collect();
        assert!(published[0].starts_with("order_update"), "{published:?}");
        assert_eq!(published[1..], notifications, "{status}");
    }
}

async fn the_second_of_two_steps_at_once_is_decided_on_what_the_first_left(world: World) {
    let order = place(&world, json!({})).await;
    let admin = (Role::Admin, "a1");
    let (one, two) = tokio::join!(
        set(&world, admin, &order.id, "confirmed"),
        set(&world, (Role::Customer, "c1"), &order.id, "cancelled"),
    );
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    let version = world
        .services
        .order(&caller(Role::Admin, "a1"), &order.id)
        .await
        .unwrap()
        .version;
    assert_eq!(version, 2);
}

async fn the_policy_admits_only_the_users_of_an_order(world: World) {
    let order = place(&world, json!({ "tailor": "t1" })).await;
    let policy = StoreAccess::new(Arc::clone(&world.store));
    let missing: OrderId = "0".repeat(24).parse().unwrap();
    for (role, user, allowed) in [
        (Role::Admin, "a1", true),
        (Role::Customer, "c1", true),
        (Role::Customer, "t1", false),
        (Role::Tailor, "t1", true),
        (Role::Tailor, "c1", false),
        (Role::Delivery, "t1", false),
    ] {
        let who = Identity::new(user.parse().unwrap(), role);
        let expected = if allowed {
            AccessDecision::Allowed
        } else {
            AccessDecision::Denied
        };
        assert_eq!(
            policy.may_join(&who, &order.id).await.unwrap(),
            expected,
            "{role} {user}"
        );
        assert_eq!(
            policy.may_join(&who, &missing).await.unwrap(),
            AccessDecision::Denied
        );
    }
    assign(&world, &order.id, json!({ "tailor": "t2" })).await;
    let replaced = Identity::new("t1".parse().unwrap(), Role::Tailor);
    assert_eq!(
        policy.may_join(&replaced, &order.id).await.unwrap(),
        AccessDecision::Denied
    );
    world.store.close().await;
    assert!(policy.may_join(&replaced, &order.id).await.is_err());
}

async fn a_retry_at_once_and_after_a_restart_gets_the_first_answer(world: World) {
    let new = json!({ "items": [{ "garment": "kurta", "quantity": 1, "price": 900 }] });
    let customer = caller(Role::Customer, "c1");
    let first = world
        .services
        .place_order(&customer, Some("k"), from(new.clone()), reply_of)
        .await
        .unwrap();
    let head = world.head().await;
    let second = world
        .services
        .place_order(&customer, Some("k"), from(new.clone()), reply_of)
        .await
        .unwrap();
    assert!(!first.replayed && second.replayed);
    assert_eq!(
        (second.reply, world.head().await),
        (first.reply.clone(), head)
    );
    let world = world.restarted().await;
    let third = world
        .services
        .place_order(&customer, Some("k"), from(new.clone()), reply_of)
        .await
        .unwrap();
    assert_eq!((third.reply, world.head().await), (first.reply, head));
    let mut other = new;
    other["items"][0]["price"] = json!(1);
    let reused = world
        .services
        .place_order(&customer, Some("k"), from(other), reply_of)
        .await;
    assert_eq!(reused.unwrap_err().code(), "idempotency_key_reused");
}

async fn a_key_belongs_to_one_user_and_one_route(world: World) {
    let emit = json!({ "to": "everyone", "event": "hello", "data": {} });
    let notice = json!({ "user": "u1", "type": "system", "title": "t", "message": "m" });
    for who in [
        caller(Role::Admin, "a1"),
        caller(Role::Admin, "a2"),
        Caller::ApiKey,
    ] {
        assert!(
            !world
                .services
                .emit(&who, Some("k"), from(emit.clone()), receipt_of)
                .await
                .unwrap()
                .replayed
        );
        assert!(
            !world
                .services
                .notify(&who, Some("k"), from(notice.clone()), reply_of)
                .await
                .unwrap()
                .replayed
        );
    }
    assert_eq!(world.head().await, 6);
}

async fn an_emit_returns_the_position_of_its_event_and_so_does_its_retry(world: World) {
    let emit = json!({ "to": { "user": "u1" }, "event": "hello", "data": { "b": 1, "a": [1.50] } });
    let sent = world
        .services
        .emit(&Caller::ApiKey, Some("k"), from(emit.clone()), receipt_of)
        .await
        .unwrap();
    let entry = &world.log.entries_after(0).await[0];
    assert_eq!(
        body(&sent.reply),
        json!([entry.content().id(), entry.position()])
    );
    assert_eq!(
        entry.content().payload().as_str(),
        r#"{"a":[1.5],"b":1}"#,
        "as it was given"
    );
    let again = world
        .services
        .emit(&Caller::ApiKey, Some("k"), from(emit), receipt_of)
        .await
        .unwrap();
    assert_eq!((again.reply, world.head().await), (sent.reply, 1));
}

/// An order of the old backend may lack an amount.
#[tokio::test]
async fn nothing_is_paid_for_what_costs_nothing() {
    let world = World::new(On::Embedded).await;
    let order = Order {
        amount: 0,
        ..crate::model::testing::order()
    };
    let change = Change {
        writes: vec![Write::NewOrder(order.clone())],
        ..Change::replying(reply_of(&()))
    };
    world.store.commit(change).await.unwrap();
    let opened = world
        .services
        .open_payment(
            &caller(Role::Customer, "c1"),
            None,
            order.id,
            |payment, _| reply_of(payment),
        )
        .await;
    assert_eq!(
        (opened.unwrap_err().code(), world.provider.opened()),
        ("nothing_to_pay", 0)
    );
}
