//! `x-realtime-position`: the position as of which the records of a reply are current.

use metaia_realtime::Position;

use super::{
    changed_once::to,
    connections::Phone,
    overtaken::{Nodes, dispatched, put},
    *,
};

on_both_stores!(
    Nodes: every_get_of_records_has_a_position,
    a_position_is_taken_before_the_records_are_read,
    a_client_that_connects_with_the_position_misses_nothing,
    other_replies_have_no_position,
);

fn position(reply: &Reply) -> Position {
    reply.data(200);
    reply.header("x-realtime-position").parse().unwrap()
}

async fn every_get_of_records_has_a_position(nodes: Nodes) {
    let api = &nodes.api;
    let (_, path) = api.order().await;
    let head = api.world.head().await;
    dispatched(&api.world.realtime, head).await;
    for (who, path) in [
        (api.customer(), "/api/orders"),
        (api.customer(), &path),
        (api.customer(), "/api/orders?limit=1&status=delivered"),
        (api.customer(), "/api/notifications"),
        (api.admin(), "/api/payments?flagged=true"),
    ] {
        let at = position(&who.get(path).await);
        assert_eq!(Some(at), api.world.realtime.position(), "{path}");
        assert_eq!(at.n(), head, "{path}");
    }
}

async fn a_position_is_taken_before_the_records_are_read(nodes: Nodes) {
    let api = &nodes.api;
    let (_, path) = api.order().await;
    let status = format!("{path}/status");
    let admin = api.admin();
    let customer = api.customer();
    let read_all = put(&customer, "/api/notifications/read-all", &json!({}));
    let confirm = put(&admin, &status, &to("confirmed"));
    let cancel = put(&admin, &status, &to("cancelled"));
    for (path, member, change, expected) in [
        (
            "/api/notifications",
            "/data/unreadCount",
            read_all,
            json!(0),
        ),
        (
            "/api/orders",
            "/data/orders/0/status",
            confirm,
            json!("confirmed"),
        ),
        (&path, "/data/order/status", cancel, json!("cancelled")),
    ] {
        let before = api.world.head().await;
        dispatched(&api.world.realtime, before).await;
        let received = nodes.meanwhile(vec![change]);
        let reply = customer.get(path).await;
        received.recv().unwrap().data(200);
        assert_eq!(position(&reply).n(), before, "{path}");
        assert_eq!(reply.body.pointer(member), Some(&expected), "{reply:?}");
    }
}

async fn a_client_that_connects_with_the_position_misses_nothing(nodes: Nodes) {
    let api = &nodes.api;
    let (_, path) = api.order().await;
    let loaded = api.customer().get(&path).await;
    let status = format!("{path}/status");
    api.admin().put(&status, to("confirmed")).await.data(200);
    let auth = json!({ "since": loaded.header("x-realtime-position") });
    let phone = Phone::connect(api, Role::Customer, "c1", auth).await;
    let received = phone.received_until_ready().await;
    assert!(received.contains(r#"42["order_update""#), "{received}");
    assert!(received.contains(r#""status":"confirmed""#), "{received}");
    assert!(received.contains(r#""recovered":true"#), "{received}");
}

async fn other_replies_have_no_position(nodes: Nodes) {
    let customer = nodes.api.customer();
    let missing = customer.get("/api/orders/000000000000000000000000").await;
    missing.refused(404, "not_found");
    assert_eq!(missing.header("x-realtime-position"), "");
    let placed = customer.post("/api/orders", order()).await;
    placed.data(201);
    assert_eq!(placed.header("x-realtime-position"), "");
}
