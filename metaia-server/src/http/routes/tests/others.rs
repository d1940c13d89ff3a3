//! Notifications, tailors, emitted events, and the OpenAPI description.

use std::collections::BTreeSet;

use axum::routing::MethodRouter;

use super::*;

on_both_stores!(
    Api: a_notification_is_stored_published_and_read_by_its_user_only,
    a_notification_is_an_operators_and_of_the_documented_shape,
    a_tailors_status_is_a_tailors_own,
    an_event_reaches_the_log_as_it_was_given,
    what_cannot_be_an_event_is_pointed_at,
);

fn notice(user: &str) -> Value {
    json!({ "user": user, "type": "system", "title": "Hello", "message": "A test" })
}

async fn a_notification_is_stored_published_and_read_by_its_user_only(api: Api) {
    let sent = api
        .backend()
        .post("/api/notifications", notice("c1"))
        .await
        .data(201)["notification"]
        .take();
    let logged = api.world.logged_after(0).await;
    assert_eq!(
        (logged[0].0.as_str(), &logged[0].2),
        ("new_notification", &sent)
    );
    let path = format!("/api/notifications/{}/read", sent["_id"].as_str().unwrap());
    for other in [api.user(Role::Customer, "c2"), api.admin()] {
        other.put(&path, json!({})).await.refused(404, "not_found");
    }
    api.customer()
        .put("/api/notifications/x/read", json!({}))
        .await
        .refused(404, "not_found");
    let read = api
        .customer()
        .send("PUT", &path, Vec::new())
        .await
        .data(200);
    assert_eq!(
        (&read["notification"]["read"], &read["unreadCount"]),
        (&json!(true), &json!(0))
    );
    let logged = &api.world.logged_after(1).await[0];
    assert_eq!(
        (logged.0.as_str(), &logged.2),
        (
            "notification_read",
            &json!({ "ids": [sent["_id"]], "unreadCount": 0 })
        )
    );
    api.customer().put(&path, json!({})).await.data(200);
    let all = api
        .customer()
        .send("PUT", "/api/notifications/read-all", Vec::new())
        .await
        .data(200);
    assert_eq!(
        (all, api.world.head().await),
        (json!({ "marked": 0, "unreadCount": 0 }), 2)
    );
}

async fn a_notification_is_an_operators_and_of_the_documented_shape(api: Api) {
    for (role, user) in [
        (Role::Customer, "c1"),
        (Role::Tailor, "t1"),
        (Role::Delivery, "d1"),
    ] {
        api.user(role, user)
            .post("/api/notifications", notice("c1"))
            .await
            .refused(403, "forbidden");
    }
    api.backend()
        .get("/api/notifications")
        .await
        .refused(401, "unauthorized");
    for (pointer, value) in [
        ("/type", json!("advert")),
        ("/user", json!({ "$ne": null })),
        ("/title", json!("")),
        ("/message", json!("x".repeat(2_001))),
        ("/relatedOrder", json!("a b")),
        ("/urgent", json!(true)),
    ] {
        let mut body = notice("c1");
        body[&pointer[1..]] = value;
        api.admin()
            .post("/api/notifications", body)
            .await
            .refused_at(pointer);
    }
    assert_eq!(api.world.head().await, 0);
}

async fn a_tailors_status_is_a_tailors_own(api: Api) {
    let tailor = api.user(Role::Tailor, "t1");
    let path = "/api/tailors/me/status";
    let busy = json!({ "status": "busy" });
    let status = tailor.put(path, busy.clone()).await.data(200);
    assert_eq!(status, api.world.logged_after(0).await[0].2);
    assert_eq!(
        (&status["tailorId"], &status["status"]),
        (&json!("t1"), &json!("busy"))
    );
    tailor
        .put(path, json!({ "status": "asleep" }))
        .await
        .refused_at("/status");
    tailor
        .put(path, json!({ "status": "busy", "tailorId": "t2" }))
        .await
        .refused_at("/tailorId");
    api.customer()
        .put(path, busy.clone())
        .await
        .refused(403, "forbidden");
    api.admin().put(path, busy).await.refused(403, "forbidden");
}

async fn an_event_reaches_the_log_as_it_was_given(api: Api) {
    let data = r#"{"n": 12345678901234567890.50, "a": {"_rt": 1}}"#;
    let body =
        format!(r#"{{"to": {{"role": "delivery_partner"}}, "event": "a:b.c-1", "data": {data}}}"#);
    let sent = api
        .backend()
        .send("POST", "/api/realtime/emit", body.into_bytes())
        .await
        .data(202);
    let entry = &api.world.log.entries_after(0).await[0];
    assert_eq!(
        sent,
        json!({ "id": entry.content().id(), "at": entry.position() })
    );
    assert_eq!(entry.content().payload().as_str(), data);
    assert_eq!(api.world.logged_after(0).await[0].1, ["delivery-room"]);
}

async fn what_cannot_be_an_event_is_pointed_at(api: Api) {
    let good = json!({ "to": "everyone", "event": "x", "data": {} });
    for (pointer, value) in [
        ("/event", json!("rt:ready")),
        ("/event", json!("connect_error")),
        ("/event", json!("a b")),
        ("/event", json!({})),
        ("/data", json!([1])),
        ("/data", json!(null)),
        ("/data", json!({ "_rt": {} })),
        ("/to", json!("nobody")),
        ("/to", json!({})),
        ("/to", json!({ "user": "u", "role": "admin" })),
        ("/to/user", json!({ "user": "a b" })),
        ("/to/role", json!({ "role": "root" })),
        ("/to", json!({ "planet": "earth" })),
        ("/extra", json!(1)),
    ] {
        let mut body = good.clone();
        let member = pointer.split('/').nth(1).unwrap();
        body[member] = value;
        let reply = api.admin().post("/api/realtime/emit", body).await;
        reply.refused(422, "validation_failed");
        assert!(
            reply.body["errors"][0]["pointer"]
                .as_str()
                .unwrap()
                .starts_with(&format!("/{member}")),
            "{pointer}: {reply:?}"
        );
    }
    let large = json!({ "to": "everyone", "event": "x", "data": { "t": "x".repeat(65_500) } });
    api.admin()
        .post("/api/realtime/emit", large)
        .await
        .refused(413, "payload_too_large");
    for (role, user) in [
        (Role::Customer, "c1"),
        (Role::Tailor, "t1"),
        (Role::Delivery, "d1"),
    ] {
        api.user(role, user)
            .post("/api/realtime/emit", good.clone())
            .await
            .refused(403, "forbidden");
    }
    assert_eq!(api.world.head().await, 0);
}

/// Returns the methods that a route serves. HEAD comes with GET.
async fn served_methods(state: &TestState, route: MethodRouter<TestState>) -> Vec<String> {
    let router: Router = Router::new().route("/", route).with_state(state.clone());
    let request = Request::builder().method("TRACE").body(Body::empty());
    let answer = router.oneshot(request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    let allowed = answer.headers()["allow"].to_str().unwrap().split(',');
    allowed
        .filter(|method| *method != "HEAD")
        .map(str::to_lowercase)
        .collect()
}

fn described_routes(description: &Value) -> BTreeSet<String> {
    let mut described = BTreeSet::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            described.insert(format!("{method} {path}"));
        }
    }
    described
}

/// Returns every route as its method, in lower case, and its path.
pub(super) async fn served_routes() -> BTreeSet<String> {
    let state = TestState::over(&World::new(On::Embedded).await, NonZeroU32::MAX);
    let mut served = BTreeSet::new();
    for (path, route) in crate::http::routes::routes() {
        for method in served_methods(&state, route).await {
            served.insert(format!("{method} {path}"));
        }
    }
    served
}

#[tokio::test]
async fn exactly_the_routes_are_described() {
    use utoipa::OpenApi as _;
    let served = served_routes().await;
    let description = serde_json::to_value(crate::http::routes::ApiDoc::openapi()).unwrap();
    assert_eq!(described_routes(&description), served);
    assert!(served.contains("post /api/orders"), "{served:?}");
    assert!(description["components"]["schemas"]["Order"]["properties"]["_id"].is_object());
}
