//! Notifications: stored, listed, delivered, and marked as read on all devices.

use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::{id_of, place_order};
use metaia_tests::server::{API_KEY, Server};
use serde_json::{Value, json};

fn greeting(user: &str) -> Value {
    json!({"user": user, "type": "system", "title": "Hello", "message": "A test notification"})
}

#[tokio::test]
async fn a_test_notification_is_stored_and_arrives() {
    let server = Server::start().await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    let sent = server
        .admin()
        .post("/api/notifications", &greeting("c1"))
        .await
        .data(201);
    let mut arrived = phone.event("new_notification").await;
    let meta = arrived["_rt"].take();
    assert!(
        meta["id"].is_string() && meta["at"].is_string() && meta["ts"].is_number(),
        "{meta}"
    );
    arrived.as_object_mut().unwrap().remove("_rt");
    assert_eq!(arrived, sent["notification"]);

    let list = server
        .api("customer", "c1")
        .get("/api/notifications")
        .await
        .data(200);
    assert_eq!(list["notifications"], json!([sent["notification"]]));
    assert_eq!(list["unreadCount"], 1);
}

#[tokio::test]
async fn a_backend_sends_a_notification_with_its_key() {
    let server = Server::start().await;
    let backend = server.anonymous().header("x-api-key", API_KEY);
    backend
        .post("/api/notifications", &greeting("t1"))
        .await
        .ok(201);
    let list = server
        .api("tailor", "t1")
        .get("/api/notifications")
        .await
        .data(200);
    assert_eq!(list["notifications"][0]["title"], "Hello");
}

#[tokio::test]
async fn reading_one_is_announced_to_the_users_other_devices() {
    let server = Server::start().await;
    let customer = server.api("customer", "c1");
    for _ in 0..2 {
        server
            .admin()
            .post("/api/notifications", &greeting("c1"))
            .await
            .ok(201);
    }
    let list = customer.get("/api/notifications").await.data(200);
    let id = id_of(&list["notifications"][0]).to_owned();
    let mut other = Phone::ready_as(&server, "customer", "c1").await;
    customer
        .put(&format!("/api/notifications/{id}/read"), &json!({}))
        .await
        .ok(200);
    let read = other.event("notification_read").await;
    assert_eq!(read["ids"], json!([id]));
    assert_eq!(read["unreadCount"], 1);

    let unread = customer
        .get("/api/notifications?unread=true")
        .await
        .data(200);
    assert_eq!(unread["notifications"].as_array().unwrap().len(), 1);
    customer
        .put("/api/notifications/read-all", &json!({}))
        .await
        .ok(200);
    let read = other.event("notification_read").await;
    assert_eq!(read["all"], true);
    assert_eq!(read["unreadCount"], 0);
    assert_eq!(
        customer.get("/api/notifications").await.data(200)["unreadCount"],
        0
    );
}

#[tokio::test]
async fn reading_all_does_not_change_other_users_notifications() {
    let server = Server::start().await;
    for user in ["c1", "c2"] {
        server
            .admin()
            .post("/api/notifications", &greeting(user))
            .await
            .ok(201);
    }
    server
        .api("customer", "c1")
        .put("/api/notifications/read-all", &json!({}))
        .await
        .ok(200);
    assert_eq!(
        server
            .api("customer", "c2")
            .get("/api/notifications")
            .await
            .data(200)["unreadCount"],
        1
    );
}

#[tokio::test]
async fn marking_as_read_needs_no_body() {
    let server = Server::start().await;
    place_order(&server, "c1").await;
    let customer = server.api("customer", "c1");
    let list = customer.get("/api/notifications").await.data(200);
    let id = id_of(&list["notifications"][0]).to_owned();
    customer
        .send("PUT", &format!("/api/notifications/{id}/read"), None)
        .await
        .ok(200);
    customer
        .send("PUT", "/api/notifications/read-all", None)
        .await
        .ok(200);
}

#[tokio::test]
async fn a_malformed_notification_is_refused_with_a_pointer() {
    let server = Server::start().await;
    let with = |member: &str, value: Value| {
        let mut body = greeting("c1");
        body[member] = value;
        body
    };
    for (pointer, body) in [
        ("/type", with("type", json!("advert"))),
        ("/user", with("user", json!("no such id"))),
        ("/user", with("user", json!({"$ne": null}))),
        ("/title", with("title", json!(7))),
        ("/urgent", with("urgent", json!(true))),
    ] {
        let problem = server
            .admin()
            .post("/api/notifications", &body)
            .await
            .refused(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
}
