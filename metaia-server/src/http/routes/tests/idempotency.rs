//! Idempotency keys: one request, one reply.

use super::*;
use crate::{model::Timestamp, store::IdempotencyClaim};

on_both_stores!(
    Api: a_retry_gets_the_first_answer_and_changes_nothing,
    another_body_under_the_key_is_refused_and_other_routes_are_other_keys,
    what_was_refused_can_be_tried_again_under_its_key,
    of_many_at_once_one_is_done,
    a_reply_that_an_earlier_version_stored_is_given_byte_for_byte,
);

async fn a_retry_gets_the_first_answer_and_changes_nothing(api: Api) {
    let keyed = api.customer().with("idempotency-key", "k-1");
    let first = keyed.post("/api/orders", order()).await;
    let head = api.world.head().await;
    let second = keyed.post("/api/orders", order()).await;
    assert_eq!(
        (second.data(201), second.header("etag")),
        (first.data(201), "\"1\"")
    );
    assert_eq!(
        (
            first.header("idempotency-replayed"),
            second.header("idempotency-replayed")
        ),
        ("", "true")
    );
    assert_eq!(api.world.head().await, head);
    let api = Api::over(api.world.restarted().await);
    let third = api
        .customer()
        .with("idempotency-key", "k-1")
        .post("/api/orders", order())
        .await;
    assert_eq!(third.body, first.body);
}

async fn another_body_under_the_key_is_refused_and_other_routes_are_other_keys(api: Api) {
    let keyed = api.customer().with("idempotency-key", "k-1");
    let placed = keyed.post("/api/orders", order()).await.data(201);
    let mut other = order();
    other["deliveryAddress"] = json!("elsewhere");
    keyed
        .post("/api/orders", other)
        .await
        .refused(422, "idempotency_key_reused");
    let pay = |id: &Value| format!("/api/payments/orders/{}", id.as_str().unwrap());
    keyed
        .post(&pay(&placed["order"]["_id"]), json!({}))
        .await
        .data(201);
    let (second, _) = api.order().await;
    keyed
        .post(&pay(&second["_id"]), json!({}))
        .await
        .refused(422, "idempotency_key_reused");
}

async fn what_was_refused_can_be_tried_again_under_its_key(api: Api) {
    let (order, path) = api.order().await;
    let pay = format!("/api/payments/orders/{}", order["_id"].as_str().unwrap());
    api.world.provider.refuse(true);
    let keyed = api.customer().with("idempotency-key", "k-1");
    keyed
        .post(&pay, json!({}))
        .await
        .refused(502, "payment_provider_unavailable");
    api.world.provider.refuse(false);
    let opened = keyed.post(&pay, json!({})).await.data(201);
    api.admin()
        .put(&format!("{path}/status"), json!({ "status": "cancelled" }))
        .await
        .data(200);
    assert_eq!(
        keyed.post(&pay, json!({})).await.data(201),
        opened,
        "the first answer, whatever happened since"
    );
    api.customer()
        .post(&pay, json!({}))
        .await
        .refused(409, "order_closed");
}

async fn of_many_at_once_one_is_done(api: Api) {
    let keyed = api.customer().with("idempotency-key", "twin");
    let replies =
        futures_util::future::join_all((0..8).map(|_| keyed.post("/api/orders", order()))).await;
    for reply in &replies {
        match reply.status.as_u16() {
            201 => {}
            _ => reply.refused(409, "idempotency_in_progress"),
        }
    }
    let orders = api.customer().get("/api/orders").await.data(200);
    assert_eq!(orders["orders"].as_array().unwrap().len(), 1);
    assert_eq!(api.world.head().await, 2);
}

/// The digest is the one that the first version computed for this request.
async fn a_reply_that_an_earlier_version_stored_is_given_byte_for_byte(api: Api) {
    let claim = IdempotencyClaim {
        scope: "user:customer:c1 POST /api/orders".to_owned(),
        key: "k-1".to_owned(),
        digest: *b"\x6b\xff\x5b\x6f\x89\x00\xeb\x5d\x66\x7c\xd4\x53\xfa\x13\x69\x00\
                  \x0c\xdc\xef\xb4\xef\x80\xa6\xd1\xc9\x2f\x56\xcf\x13\xcf\x7a\x9f",
        at: Timestamp::now(),
    };
    let stored = r#"{ "status":"success","data" : {"order":{"_id":"1","\u0061":1.50}}}"#;
    api.world.insert_reply(&claim, stored).await;
    let keyed = api.customer().with("idempotency-key", "k-1");
    let reply = keyed.post("/api/orders", order()).await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.header("idempotency-replayed"), "true");
    assert_eq!(reply.header("etag"), "\"1\"");
    assert_eq!(reply.text, stored);
    assert_eq!(api.world.head().await, 0);
}
