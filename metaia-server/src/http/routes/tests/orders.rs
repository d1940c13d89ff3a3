//! Orders: their replies, and every refusal.

use super::*;

on_both_stores!(
    Api: an_order_is_answered_in_full_and_reads_back,
    what_is_wrong_with_an_order_is_pointed_at_and_nothing_is_kept,
    an_order_that_could_not_be_published_is_refused_before_anything_changes,
    only_customers_order_for_themselves_and_only_admins_for_others,
    another_users_order_looks_like_one_that_does_not_exist,
    a_forbidden_step_and_an_impossible_one_have_different_codes,
    a_version_that_is_not_the_present_one_stops_the_change,
    an_assignment_is_an_admins_and_only_while_the_order_is_open,
);

async fn an_order_is_answered_in_full_and_reads_back(api: Api) {
    let mut body = order();
    body["items"][0]["measurements"] = json!({ "chest": 96.5, "sleeve": "long" });
    body["deliveryAddress"] = json!("12 Brigade Road");
    let placed = api.customer().post("/api/orders", body).await;
    let order = placed.data(201)["order"].take();
    assert_eq!(placed.header("etag"), "\"1\"");
    assert_eq!(
        (&order["amount"], &order["currency"], &order["status"]),
        (&json!(90_000), &json!("INR"), &json!("pending"))
    );
    assert_eq!(
        (&order["tailor"], &order["deliveryPartner"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        order["items"][0]["measurements"],
        json!({ "chest": 96.5, "sleeve": "long" })
    );
    let read = api
        .customer()
        .get(&format!("/api/orders/{}", order["_id"].as_str().unwrap()))
        .await;
    assert_eq!(read.data(200)["order"], order);
    assert_eq!(read.header("etag"), "\"1\"");
}

async fn what_is_wrong_with_an_order_is_pointed_at_and_nothing_is_kept(api: Api) {
    for (pointer, value) in [
        ("/discount", json!(1)),
        ("/tailor", json!({ "$ne": null })),
        ("/customer", json!("c2")),
        ("/currency", json!("rupees")),
        ("/items", json!([])),
        ("/items/0", json!(null)),
        ("/items/0/price", json!(-1)),
        ("/items/0/price", json!(1.5)),
        ("/items/0/quantity", json!(u64::MAX)),
        ("/items/0/colour", json!("red")),
        ("/items/0/garment", json!("\u{7}")),
    ] {
        let mut body = order();
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        let parent = body.pointer_mut(parent).unwrap();
        match member.parse::<usize>() {
            Ok(index) => parent[index] = value,
            Err(_) => parent[member] = value,
        }
        api.customer()
            .post("/api/orders", body)
            .await
            .refused_at(pointer);
    }
    assert_eq!(api.world.head().await, 0);
    assert_eq!(
        api.admin().get("/api/orders").await.data(200)["orders"],
        json!([])
    );
}

async fn an_order_that_could_not_be_published_is_refused_before_anything_changes(api: Api) {
    let notes = "x".repeat(980);
    let item = |notes: &str| json!({ "garment": "g", "quantity": 1, "price": 1, "notes": notes });
    let mut items = vec![item(&notes); 63];
    items.push(item(&notes[..400]));
    let body = json!({ "items": items });
    assert!(body.to_string().len() < 65_536);
    api.customer()
        .post("/api/orders", body)
        .await
        .refused(413, "payload_too_large");
    assert_eq!(api.world.head().await, 0);
}

async fn only_customers_order_for_themselves_and_only_admins_for_others(api: Api) {
    let for_c7 = json!({ "items": order()["items"], "customer": "c7" });
    assert_eq!(
        api.admin()
            .post("/api/orders", for_c7.clone())
            .await
            .data(201)["order"]["customer"],
        "c7"
    );
    api.admin()
        .post("/api/orders", order())
        .await
        .refused_at("/customer");
    api.user(Role::Tailor, "t1")
        .post("/api/orders", order())
        .await
        .refused(403, "forbidden");
    api.user(Role::Delivery, "d1")
        .post("/api/orders", for_c7)
        .await
        .refused(403, "forbidden");
    api.backend()
        .post("/api/orders", order())
        .await
        .refused(401, "unauthorized");
    api.nobody()
        .post("/api/orders", order())
        .await
        .refused(401, "unauthorized");
}

async fn another_users_order_looks_like_one_that_does_not_exist(api: Api) {
    let (_, path) = api.order().await;
    let step = json!({ "status": "cancelled" });
    for (role, user) in [
        (Role::Customer, "c2"),
        (Role::Tailor, "t1"),
        (Role::Tailor, "c1"),
        (Role::Delivery, "d1"),
    ] {
        let stranger = api.user(role, user);
        for path in [
            path.as_str(),
            "/api/orders/000000000000000000000000",
            "/api/orders/a%20b",
            "/api/orders/%00",
        ] {
            let read = stranger.get(path).await;
            read.refused(404, "not_found");
            let moved = stranger.put(&format!("{path}/status"), step.clone()).await;
            moved.refused(404, "not_found");
            assert_eq!(read.body, moved.body);
        }
    }
}

async fn a_forbidden_step_and_an_impossible_one_have_different_codes(api: Api) {
    let (_, path) = api.order().await;
    let path = format!("{path}/status");
    let to = |status: &str| json!({ "status": status });
    api.customer()
        .put(&path, to("confirmed"))
        .await
        .refused(403, "forbidden");
    api.admin()
        .put(&path, to("delivered"))
        .await
        .refused(409, "illegal_transition");
    api.admin()
        .put(&path, to("pending"))
        .await
        .refused(409, "illegal_transition");
    api.admin()
        .put(&path, to("lost"))
        .await
        .refused_at("/status");
    api.admin()
        .put(&path, json!({ "status": { "$gt": "" } }))
        .await
        .refused_at("/status");
    api.admin()
        .put(&path, json!({ "status": "confirmed", "force": true }))
        .await
        .refused_at("/force");
    assert_eq!(
        api.admin().put(&path, to("confirmed")).await.data(200)["order"]["version"],
        2
    );
    api.customer()
        .put(&path, to("cancelled"))
        .await
        .refused(403, "forbidden");
    assert_eq!(
        api.admin().put(&path, to("cancelled")).await.data(200)["order"]["status"],
        "cancelled"
    );
    api.admin()
        .put(&path, to("confirmed"))
        .await
        .refused(409, "illegal_transition");
}

async fn a_version_that_is_not_the_present_one_stops_the_change(api: Api) {
    let (_, path) = api.order().await;
    let seen = |version: &str| api.admin().with("if-match", version);
    let status = format!("{path}/status");
    let assign = format!("{path}/assign");
    let confirmed = json!({ "status": "confirmed" });
    seen("\"2\"")
        .put(&status, confirmed.clone())
        .await
        .refused(412, "precondition_failed");
    seen("\"2\"")
        .put(&assign, json!({ "tailor": "t1" }))
        .await
        .refused(412, "precondition_failed");
    assert_eq!(
        seen("\"1\"").put(&status, confirmed).await.header("etag"),
        "\"2\""
    );
    seen("\"1\"")
        .put(&status, json!({ "status": "in_progress" }))
        .await
        .refused(412, "precondition_failed");
    seen("*")
        .put(&assign, json!({ "tailor": "t1" }))
        .await
        .data(200);
}

async fn an_assignment_is_an_admins_and_only_while_the_order_is_open(api: Api) {
    let (_, path) = api.order().await;
    let assign = format!("{path}/assign");
    let to_t1 = json!({ "tailor": "t1" });
    for (role, user) in [
        (Role::Customer, "c1"),
        (Role::Tailor, "t1"),
        (Role::Delivery, "d1"),
    ] {
        let refused = api.user(role, user).put(&assign, to_t1.clone()).await;
        refused.refused(403, "forbidden");
        let nowhere = "/api/orders/000000000000000000000000/assign";
        assert_eq!(
            api.user(role, user).put(nowhere, to_t1.clone()).await.body,
            refused.body
        );
    }
    api.admin()
        .put(&assign, json!({}))
        .await
        .refused(422, "validation_failed");
    api.admin()
        .put(&assign, json!({ "tailor": { "$ne": null } }))
        .await
        .refused_at("/tailor");
    api.admin()
        .put(&assign, json!({ "customer": "c2" }))
        .await
        .refused_at("/customer");
    assert_eq!(
        api.admin().put(&assign, to_t1.clone()).await.data(200)["order"]["tailor"],
        "t1"
    );
    api.user(Role::Tailor, "t1").get(&path).await.data(200);
    api.admin()
        .put(&format!("{path}/status"), json!({ "status": "cancelled" }))
        .await
        .data(200);
    api.admin()
        .put(&assign, json!({ "tailor": "t2" }))
        .await
        .refused(409, "order_closed");
}
