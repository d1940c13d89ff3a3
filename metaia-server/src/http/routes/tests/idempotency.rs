//! Idempotency keys: one request, one reply.

use super::*;
use crate::{
    model::Timestamp,
    store::{IdempotencyClaim, StoredReply},
};

on_both_stores!(
    Api: a_retry_gets_the_first_answer_and_changes_nothing,
    another_body_under_the_key_is_refused_and_other_routes_are_other_keys,
    what_was_refused_can_be_tried_again_under_its_key,
    of_many_at_once_one_is_done,
    a_reply_that_an_earlier_version_stored_is_given_byte_for_byte,
    a_payment_that_an_earlier_version_confirmed_is_confirmed_again_by_its_key,
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
    let reply = stored_reply(201, stored, Some(1));
    api.world.insert_reply(&claim, &reply).await;
    let keyed = api.customer().with("idempotency-key", "k-1");
    let reply = keyed.post("/api/orders", order()).await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.header("idempotency-replayed"), "true");
    assert_eq!(reply.header("etag"), "\"1\"");
    assert_eq!(reply.text, stored);
    assert_eq!(api.world.head().await, 0);
}

fn stored_reply(status: u16, body: &str, version: Option<u64>) -> StoredReply {
    StoredReply {
        status,
        body: body.to_owned(),
        version,
    }
}

/// The first version took every text for the id of a payment. Its digest is that of the three
/// members in this order, without spaces.
async fn a_payment_that_an_earlier_version_confirmed_is_confirmed_again_by_its_key(api: Api) {
    let claim = IdempotencyClaim {
        scope: "user:customer:c1 POST /api/payments/verify".to_owned(),
        key: "k-1".to_owned(),
        digest: *b"\x73\x92\x0f\xfa\x57\xf4\xd1\x9e\xa9\xf8\x72\xa7\x32\x15\xac\x51\
                  \xc1\x86\xa4\xa1\xdd\x19\xfd\x42\x1e\x12\x92\x00\xdc\xa3\x2e\x60",
        at: Timestamp::now(),
    };
    let stored = r#"{"status":"success","data":{"payment":{"razorpayPaymentId":"pay-1"}}}"#;
    let reply = stored_reply(200, stored, None);
    api.world.insert_reply(&claim, &reply).await;
    let body = json!({
        "razorpay_payment_id": "pay-1",
        "razorpay_signature": "00",
        "razorpay_order_id": "order_1",
    });
    let path = "/api/payments/verify";
    let keyed = api.customer().with("idempotency-key", "k-1");
    let again = keyed.post(path, body.clone()).await;
    assert_eq!((again.status.as_u16(), &*again.text), (200, stored));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.header("etag"), "");

    for other in ["pay-2", "pay_2"] {
        let mut other_body = body.clone();
        other_body["razorpay_payment_id"] = json!(other);
        let refused = keyed.post(path, other_body).await;
        refused.refused(422, "idempotency_key_reused");
    }
    // Without the key, or under another one, the id is judged.
    let place = "/razorpay_payment_id";
    api.customer()
        .post(path, body.clone())
        .await
        .refused_at(place);
    let new_key = api.customer().with("idempotency-key", "k-2");
    new_key.post(path, body).await.refused_at(place);
    assert_eq!(api.world.head().await, 0);
}
