//! Orders over REST: the stored order, its status changes, and the refusals.

use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::{
    all_until_now, assign, id_of, order_body, place_order, place_order_at, set_status,
};
use metaia_tests::server::Server;
use serde_json::{Value, json};

#[tokio::test]
async fn an_order_is_returned_as_the_contract_says() {
    let server = Server::start().await;
    let body = json!({
        "items": [
            {
                "garment": "kurta",
                "quantity": 2,
                "price": 45_000,
                "measurements": {"chest": 96},
                "notes": "no pockets",
            },
            {"garment": "shirt", "quantity": 1, "price": 30_000},
        ],
        "deliveryAddress": "12 Brigade Road",
    });
    let answer = server
        .api("customer", "c1")
        .post("/api/orders", &body)
        .await;
    let order = &answer.data(201)["order"];
    let id = id_of(order);
    assert!(
        id.len() == 24 && id.chars().all(|digit| digit.is_ascii_hexdigit()),
        "{id}"
    );
    assert_eq!(order["customer"], "c1");
    assert_eq!(order["amount"], 120_000);
    assert_eq!(order["currency"], "INR");
    assert_eq!(order["status"], "pending");
    assert!(
        order["tailor"].is_null() && order["deliveryPartner"].is_null(),
        "{order}"
    );
    assert_eq!(order["items"][0]["garment"], "kurta");
    assert_eq!(order["items"][0]["measurements"]["chest"], 96);
    for member in ["orderNumber", "createdAt", "updatedAt"] {
        assert!(order[member].is_string(), "{member}: {order}");
    }
    let read = server
        .api("customer", "c1")
        .get(&format!("/api/orders/{id}"))
        .await
        .data(200);
    assert_eq!(read["order"], *order);
}

#[tokio::test]
async fn a_status_moves_step_by_step_to_the_end() {
    let server = Server::start().await;
    let order = place_order_at(&server, "c1", "t1").await;
    let id = id_of(&order);
    assign(&server, id, &json!({"deliveryPartner": "d1"})).await;
    let path = format!("/api/orders/{id}/status");
    let steps = [
        ("admin", "a1", "confirmed"),
        ("tailor", "t1", "in_progress"),
        ("tailor", "t1", "ready"),
        ("delivery", "d1", "out_for_delivery"),
        ("delivery", "d1", "delivered"),
    ];
    let mut version = order["version"].clone();
    for (role, user, status) in steps {
        let moved = server
            .api(role, user)
            .put(&path, &json!({"status": status}))
            .await
            .data(200);
        assert_eq!(moved["order"]["status"], status);
        assert_ne!(
            moved["order"]["version"], version,
            "every change is a version"
        );
        version = moved["order"]["version"].clone();
    }
}

#[tokio::test]
async fn steps_back_and_after_the_end_are_illegal() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let path = format!("/api/orders/{}/status", id_of(&order));
    set_status(&server, id_of(&order), "confirmed").await;
    for status in ["pending", "confirmed"] {
        server
            .admin()
            .put(&path, &json!({"status": status}))
            .await
            .refused_as(409, "illegal_transition");
    }
    set_status(&server, id_of(&order), "cancelled").await;
    for status in ["pending", "confirmed", "delivered", "cancelled"] {
        server
            .admin()
            .put(&path, &json!({"status": status}))
            .await
            .refused_as(409, "illegal_transition");
    }
    let late = place_order(&server, "c1").await;
    for status in ["confirmed", "in_progress", "ready", "out_for_delivery"] {
        set_status(&server, id_of(&late), status).await;
    }
    let path = format!("/api/orders/{}/status", id_of(&late));
    server
        .admin()
        .put(&path, &json!({"status": "cancelled"}))
        .await
        .refused_as(409, "illegal_transition");
}

#[tokio::test]
async fn a_list_is_filtered_by_status() {
    let server = Server::start().await;
    let first = place_order(&server, "c1").await;
    place_order(&server, "c1").await;
    set_status(&server, id_of(&first), "confirmed").await;
    let customer = server.api("customer", "c1");
    let ids = |list: Value| {
        list["orders"]
            .as_array()
            .unwrap()
            .iter()
            .map(|o| o["_id"].clone())
            .collect::<Vec<_>>()
    };
    let confirmed = customer.get("/api/orders?status=confirmed").await.data(200);
    assert_eq!(ids(confirmed), [first["_id"].clone()]);
    assert_eq!(ids(customer.get("/api/orders").await.data(200)).len(), 2);
    customer.get("/api/orders?status=lost").await.refused(422);
}

#[tokio::test]
async fn if_match_guards_against_a_lost_update() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let id = id_of(&order);
    let path = format!("/api/orders/{id}/status");
    let seen = server
        .admin()
        .header("if-match", &format!("\"{}\"", order["version"]));
    seen.put(&path, &json!({"status": "confirmed"}))
        .await
        .ok(200);
    seen.put(&path, &json!({"status": "in_progress"}))
        .await
        .refused_as(412, "precondition_failed");
    let after = server
        .admin()
        .get(&format!("/api/orders/{id}"))
        .await
        .data(200);
    assert_eq!(after["order"]["status"], "confirmed");
}

#[tokio::test]
async fn an_assignment_notifies_the_people_it_names() {
    let server = Server::start().await;
    let order = place_order_at(&server, "c1", "t1").await;
    let after = assign(
        &server,
        id_of(&order),
        &json!({"tailor": "t2", "deliveryPartner": "d1"}),
    )
    .await;
    assert_eq!(after["tailor"], "t2");
    assert_eq!(after["deliveryPartner"], "d1");
    for (role, user) in [("tailor", "t1"), ("tailor", "t2"), ("delivery", "d1")] {
        let notifications = server
            .api(role, user)
            .get("/api/notifications")
            .await
            .data(200);
        let related = notifications["notifications"][0]["relatedOrder"].clone();
        assert_eq!(related, order["_id"], "{user}: {notifications}");
    }
}

#[tokio::test]
async fn an_assignment_can_remove_the_tailor_or_change_nothing() {
    let server = Server::start().await;
    let order = place_order_at(&server, "c1", "t1").await;
    let mut admin = Phone::ready_as(&server, "admin", "a1").await;
    let same = assign(&server, id_of(&order), &json!({"tailor": "t1"})).await;
    assert_eq!(same["version"], order["version"]);
    assert_eq!(
        all_until_now(&server, &mut admin).await,
        [],
        "no change, no event"
    );
    let cleared = assign(&server, id_of(&order), &json!({"tailor": null})).await;
    assert!(cleared["tailor"].is_null(), "{cleared}");
    server
        .api("tailor", "t1")
        .get(&format!("/api/orders/{}", id_of(&order)))
        .await
        .refused(404);
}

#[tokio::test]
async fn a_closed_order_cannot_be_assigned() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    set_status(&server, id_of(&order), "cancelled").await;
    let path = format!("/api/orders/{}/assign", id_of(&order));
    server
        .admin()
        .put(&path, &json!({"tailor": "t1"}))
        .await
        .refused_as(409, "order_closed");
}

#[tokio::test]
async fn one_of_two_simultaneous_equal_steps_is_refused() {
    let server = Server::start().await;
    let order = place_order_at(&server, "c1", "t1").await;
    set_status(&server, id_of(&order), "confirmed").await;
    let path = format!("/api/orders/{}/status", id_of(&order));
    let body = json!({"status": "in_progress"});
    let admin = server.admin();
    let tailor = server.api("tailor", "t1");
    let (a, b) = tokio::join!(admin.put(&path, &body), tailor.put(&path, &body));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{a:#?} {b:#?}");
    let after = server
        .admin()
        .get(&format!("/api/orders/{}", id_of(&order)))
        .await
        .data(200);
    assert_eq!(after["order"]["status"], "in_progress");
}

#[tokio::test]
async fn currencies_are_three_letters_and_default_to_rupees() {
    let server = Server::start().await;
    let customer = server.api("customer", "c1");
    let mut body = order_body();
    body["currency"] = "USD".into();
    assert_eq!(
        customer.post("/api/orders", &body).await.data(201)["order"]["currency"],
        "USD"
    );
    body["currency"] = "rupees".into();
    customer.post("/api/orders", &body).await.refused(422);
}
