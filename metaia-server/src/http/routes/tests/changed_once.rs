//! Idempotency keys of changes: a `PUT` that is repeated is carried out once, and gets its first
//! reply.

use std::fmt::Write as _;

use super::*;
use crate::{
    model::Timestamp,
    store::{IdempotencyClaim, IdempotencyState},
};

on_both_stores!(
    Api: a_repeated_step_gets_its_first_reply_whatever_happened_since,
    a_repeated_assignment_gets_its_first_reply,
    an_assignment_that_changes_nothing_is_remembered_too,
    path_condition_and_body_belong_to_the_request,
    a_repeated_change_is_not_refused_for_the_version_that_it_made,
    a_refused_change_can_be_tried_again_under_its_key,
    of_many_changes_at_once_one_is_made,
    what_is_stored_for_a_change_is_small,
    a_notification_is_marked_once_under_its_key,
    a_repeated_read_all_marks_nothing_that_came_later,
    a_repeated_status_does_not_replace_a_newer_one,
);

pub(super) fn to(status: &str) -> Value {
    json!({ "status": status })
}

pub(super) fn keyed<'a>(who: &As<'a>, key: &str) -> As<'a> {
    who.clone().with("idempotency-key", key)
}

/// Checks that a reply is the same as the first one, byte for byte.
#[track_caller]
pub(super) fn same(again: &Reply, first: &Reply) {
    assert_eq!(first.header("idempotency-replayed"), "");
    assert_eq!(again.header("idempotency-replayed"), "true", "{again:?}");
    assert_eq!(again.text, first.text);
    assert_eq!(
        (again.status, again.header("etag")),
        (first.status, first.header("etag"))
    );
}

async fn a_repeated_step_gets_its_first_reply_whatever_happened_since(api: Api) {
    let (_, path) = api.order().await;
    let status = format!("{path}/status");
    let admin = keyed(&api.admin(), "k-1");
    let first = admin.put(&status, to("confirmed")).await;
    assert_eq!(first.data(200)["order"]["version"], 2);
    let assign = json!({ "tailor": "t1", "deliveryPartner": "d1" });
    api.admin().put(&format!("{path}/assign"), assign).await;
    api.admin().put(&status, to("in_progress")).await.data(200);
    let head = api.world.head().await;
    same(&admin.put(&status, to("confirmed")).await, &first);
    assert_eq!(api.world.head().await, head);
    let api = Api::over(api.world.restarted().await);
    let admin = keyed(&api.admin(), "k-1");
    same(&admin.put(&status, to("confirmed")).await, &first);
}

async fn a_repeated_assignment_gets_its_first_reply(api: Api) {
    let (_, path) = api.order().await;
    let assign = format!("{path}/assign");
    let admin = keyed(&api.admin(), "k-1");
    let to_t1 = json!({ "tailor": "t1" });
    let first = admin.put(&assign, to_t1.clone()).await;
    api.admin()
        .put(&assign, json!({ "tailor": "t2" }))
        .await
        .data(200);
    same(&admin.put(&assign, to_t1).await, &first);
    let now = api.admin().get(&path).await.data(200);
    assert_eq!(now["order"]["tailor"], "t2");
}

async fn an_assignment_that_changes_nothing_is_remembered_too(api: Api) {
    let (_, path) = api.order().await;
    let assign = format!("{path}/assign");
    let nobody = json!({ "tailor": null });
    let admin = keyed(&api.admin(), "k-1");
    let first = admin.put(&assign, nobody.clone()).await;
    assert_eq!(first.data(200)["order"]["version"], 1);
    api.admin()
        .put(&assign, json!({ "tailor": "t2" }))
        .await
        .data(200);
    same(&admin.put(&assign, nobody).await, &first);
    let now = api.admin().get(&path).await.data(200);
    assert_eq!(now["order"]["tailor"], "t2");
}

async fn path_condition_and_body_belong_to_the_request(api: Api) {
    let (_, path) = api.order().await;
    let (_, other) = api.order().await;
    let [status, elsewhere] = [&path, &other].map(|path| format!("{path}/status"));
    let admin = keyed(&api.admin(), "k-1");
    admin.put(&status, to("confirmed")).await.data(200);
    let reused = "idempotency_key_reused";
    admin
        .put(&status, to("cancelled"))
        .await
        .refused(422, reused);
    admin
        .put(&elsewhere, to("confirmed"))
        .await
        .refused(422, reused);
    let seen = admin.clone().with("if-match", "\"1\"");
    seen.put(&status, to("confirmed"))
        .await
        .refused(422, reused);
    // Other callers and other routes have keys of their own.
    let customer = keyed(&api.customer(), "k-1");
    customer.put(&elsewhere, to("cancelled")).await.data(200);
    let assign = format!("{path}/assign");
    admin
        .put(&assign, json!({ "tailor": "t1" }))
        .await
        .data(200);
}

async fn a_repeated_change_is_not_refused_for_the_version_that_it_made(api: Api) {
    let (_, path) = api.order().await;
    let status = format!("{path}/status");
    let admin = keyed(&api.admin(), "k-1").with("if-match", "\"7\", W/\"1\"");
    let first = admin.put(&status, to("confirmed")).await;
    assert_eq!(first.header("etag"), "\"2\"");
    same(&admin.put(&status, to("confirmed")).await, &first);
}

async fn a_refused_change_can_be_tried_again_under_its_key(api: Api) {
    let (_, path) = api.order().await;
    let status = format!("{path}/status");
    let tailor = keyed(&api.user(Role::Tailor, "t1"), "k-1");
    let refused = tailor.put(&status, to("in_progress")).await;
    refused.refused(404, "not_found");
    api.admin().put(&status, to("confirmed")).await.data(200);
    let assign = json!({ "tailor": "t1" });
    api.admin()
        .put(&format!("{path}/assign"), assign)
        .await
        .data(200);
    tailor.put(&status, to("in_progress")).await.data(200);
}

async fn of_many_changes_at_once_one_is_made(api: Api) {
    let (_, path) = api.order().await;
    let status = format!("{path}/status");
    let admin = keyed(&api.admin(), "twin");
    let put = || admin.put(&status, to("confirmed"));
    let replies = futures_util::future::join_all((0..8).map(|_| put())).await;
    for reply in &replies {
        match reply.status.as_u16() {
            200 => assert_eq!(reply.header("etag"), "\"2\""),
            _ => reply.refused(409, "idempotency_in_progress"),
        }
    }
    same(
        &put().await,
        replies
            .iter()
            .find(|r| r.header("idempotency-replayed").is_empty() && r.status == 200)
            .unwrap(),
    );
}

async fn what_is_stored_for_a_change_is_small(api: Api) {
    let mut address = String::new();
    for n in 0..60 {
        write!(address, "{n} Long Road, ").unwrap();
    }
    address.truncate(500);
    let notes = "n".repeat(1_000);
    let item = json!({ "garment": "shirt", "quantity": 1, "price": 1, "notes": notes });
    let order = json!({ "items": vec![item; 40], "deliveryAddress": address });
    let order = api.customer().post("/api/orders", order).await.data(201);
    let id = order["order"]["_id"].as_str().unwrap().to_owned();
    let admin = keyed(&api.admin(), "k-1");
    let reply = admin
        .put(&format!("/api/orders/{id}/status"), to("confirmed"))
        .await;
    assert!(reply.text.len() > 40_000);
    // The digest is not known here: that of another request tells only that there is one.
    let claim = IdempotencyClaim {
        scope: "user:admin:a1 PUT /api/orders/:id/status".to_owned(),
        key: "k-1".to_owned(),
        digest: [0; 32],
        at: Timestamp::now(),
    };
    let state = api.world.store.idempotency_state(&claim).await.unwrap();
    assert_eq!(state, IdempotencyState::OtherRequest);
    let stored = api.world.stored_reply_bytes(&claim).await;
    assert!(stored < 256, "{stored} bytes");
}

async fn a_notification_is_marked_once_under_its_key(api: Api) {
    for _ in 0..2 {
        api.order().await;
    }
    let list = api.customer().get("/api/notifications").await.data(200);
    let id = list["notifications"][0]["_id"].as_str().unwrap().to_owned();
    let path = format!("/api/notifications/{id}/read");
    let customer = keyed(&api.customer(), "k-1");
    let first = customer.put(&path, json!({})).await;
    assert_eq!(first.data(200)["unreadCount"], 1);
    api.customer()
        .put("/api/notifications/read-all", json!({}))
        .await
        .data(200);
    let head = api.world.head().await;
    same(&customer.put(&path, json!({})).await, &first);
    assert_eq!(api.world.head().await, head);
    // It was read before this key was used.
    let later = keyed(&api.customer(), "k-2");
    let first = later.put(&path, json!({})).await;
    same(&later.put(&path, json!({})).await, &first);
    let missing = "/api/notifications/000000000000000000000000/read";
    let reused = "idempotency_key_reused";
    later.put(missing, json!({})).await.refused(422, reused);
    let unused = keyed(&api.customer(), "k-3");
    unused
        .put(missing, json!({}))
        .await
        .refused(404, "not_found");
    unused.put(&path, json!({})).await.data(200);
}

async fn a_repeated_read_all_marks_nothing_that_came_later(api: Api) {
    let read_all = "/api/notifications/read-all";
    api.order().await;
    let customer = keyed(&api.customer(), "k-1");
    let first = customer.put(read_all, json!({})).await;
    assert_eq!(first.data(200)["marked"], 1);
    api.order().await;
    same(&customer.put(read_all, json!({})).await, &first);
    let list = api.customer().get("/api/notifications").await.data(200);
    assert_eq!(list["unreadCount"], 1);
    // Nothing is left for the second use of another key, either.
    let later = keyed(&api.customer(), "k-2");
    let first = later.put(read_all, json!({})).await;
    same(&later.put(read_all, json!({})).await, &first);
}

async fn a_repeated_status_does_not_replace_a_newer_one(api: Api) {
    let path = "/api/tailors/me/status";
    let tailor = api.user(Role::Tailor, "t1");
    let old = keyed(&tailor, "k-1");
    let first = old.put(path, to("available")).await;
    tailor.put(path, to("busy")).await.data(200);
    let head = api.world.head().await;
    same(&old.put(path, to("available")).await, &first);
    assert_eq!(api.world.head().await, head);
    old.put(path, to("offline"))
        .await
        .refused(422, "idempotency_key_reused");
}
