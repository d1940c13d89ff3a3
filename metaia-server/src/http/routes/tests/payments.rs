//! Payments: opened, verified, and changed by webhooks of the provider.

use super::*;
use crate::{
    payment::signature::sign_checkout,
    services::testing::{KEY_SECRET, WEBHOOK_SECRET},
};

on_both_stores!(
    Api: a_payment_is_opened_once_over_the_orders_amount,
    a_valid_signature_completes_and_is_published_once,
    a_wrong_signature_or_another_users_payment_changes_nothing,
    a_delivery_is_applied_once_and_remembered_over_restarts,
    deliveries_in_any_order_move_forward_only,
    an_attempt_that_succeeds_after_one_that_failed_completes_the_payment,
    a_payment_that_failed_is_followed_by_another,
    a_delivery_that_is_not_genuine_is_refused_and_does_not_use_up_its_id,
    further_members_of_a_checkout_are_ignored,
    a_payment_id_has_the_providers_form,
);

pub(super) async fn opened(api: &Api) -> Value {
    let (order, _) = api.order().await;
    let path = format!("/api/payments/orders/{}", order["_id"].as_str().unwrap());
    api.customer().post(&path, json!({})).await.data(201)["payment"].take()
}

pub(super) fn checkout(payment: &Value, razorpay_payment: &str) -> Value {
    let order = payment["razorpayOrderId"].as_str().unwrap();
    json!({
        "razorpay_order_id": order,
        "razorpay_payment_id": razorpay_payment,
        "razorpay_signature": sign_checkout(&Secret::from(KEY_SECRET), order, razorpay_payment),
    })
}

async fn verify(api: &Api, body: Value) -> Reply {
    api.customer().post("/api/payments/verify", body).await
}

/// Returns the names of the events after `after`.
async fn published(api: &Api, after: u64) -> Vec<String> {
    api.world
        .logged_after(after)
        .await
        .into_iter()
        .map(|(name, ..)| name)
        .collect()
}

async fn a_payment_is_opened_once_over_the_orders_amount(api: Api) {
    let (order, _) = api.order().await;
    let path = format!("/api/payments/orders/{}", order["_id"].as_str().unwrap());
    let first = api.customer().post(&path, json!({})).await.data(201);
    assert_eq!(first["keyId"], "rzp_test");
    let payment = &first["payment"];
    assert_eq!(
        (&payment["order"], &payment["amount"]),
        (&order["_id"], &order["amount"])
    );
    assert_eq!(
        (&payment["status"], &payment["razorpayPaymentId"]),
        (&json!("created"), &Value::Null)
    );
    assert_eq!(api.customer().post(&path, json!({})).await.data(201), first);
    assert_eq!(api.world.provider.opened(), 1);
    api.user(Role::Customer, "c2")
        .post(&path, json!({}))
        .await
        .refused(404, "not_found");
    api.admin()
        .post(&path, json!({}))
        .await
        .refused(403, "forbidden");
}

async fn a_valid_signature_completes_and_is_published_once(api: Api) {
    let payment = opened(&api).await;
    let before = api.world.head().await;
    for _ in 0..2 {
        let verified = verify(&api, checkout(&payment, "pay_1")).await.data(200)["payment"].take();
        assert_eq!(
            (&verified["status"], &verified["razorpayPaymentId"]),
            (&json!("completed"), &json!("pay_1"))
        );
    }
    let logged = api.world.logged_after(before).await;
    assert_eq!(
        published(&api, before).await,
        ["payment_update", "new_notification"]
    );
    assert_eq!(logged[0].1, ["user-c1", "admin-room"]);
    let update = json!({
        "paymentId": payment["_id"], "orderId": payment["order"], "status": "completed",
        "amount": 90_000, "currency": "INR",
    });
    assert_eq!(logged[0].2, update);
    let path = format!(
        "/api/payments/orders/{}",
        payment["order"].as_str().unwrap()
    );
    api.customer()
        .post(&path, json!({}))
        .await
        .refused(409, "already_paid");
}

/// Money was taken: whatever a newer checkout adds must not refuse it.
async fn further_members_of_a_checkout_are_ignored(api: Api) {
    let payment = opened(&api).await;
    let mut body = checkout(&payment, "pay_1");
    body["org_logo"] = json!({ "$ne": null });
    body["status_code"] = json!(200);
    assert_eq!(
        verify(&api, body).await.data(200)["payment"]["status"],
        "completed"
    );
}

/// Each of them is signed: the provider's secret signs whatever an app sends to it.
async fn a_payment_id_has_the_providers_form(api: Api) {
    let payment = opened(&api).await;
    let before = api.world.head().await;
    let huge = format!("pay_{}", "x".repeat(60_000));
    let too_long = format!("pay_{}", "x".repeat(41));
    for id in [
        "", "pay_", "pay_\0", "pay_1\0", "pay_é", "pay_a b", "order_1", &too_long, &huge,
    ] {
        let refused = verify(&api, checkout(&payment, id)).await;
        refused.refused_at("/razorpay_payment_id");
    }
    assert_eq!(api.world.head().await, before);
    let longest = format!("pay_{}", "x".repeat(40));
    let paid = verify(&api, checkout(&payment, &longest)).await;
    assert_eq!(paid.data(200)["payment"]["razorpayPaymentId"], *longest);
}

async fn a_wrong_signature_or_another_users_payment_changes_nothing(api: Api) {
    let payment = opened(&api).await;
    let other_payment = opened(&api).await;
    let before = api.world.head().await;
    let good = checkout(&payment, "pay_1");
    for signature in [
        json!(""),
        json!("zz"),
        checkout(&payment, "pay_2")["razorpay_signature"].clone(),
    ] {
        let mut body = good.clone();
        body["razorpay_signature"] = signature;
        verify(&api, body).await.refused(422, "invalid_signature");
    }
    let mut swapped = good.clone();
    swapped["razorpay_order_id"] = other_payment["razorpayOrderId"].clone();
    verify(&api, swapped)
        .await
        .refused(422, "invalid_signature");
    let mut injected = good.clone();
    injected["razorpay_order_id"] = json!({ "$ne": null });
    verify(&api, injected)
        .await
        .refused_at("/razorpay_order_id");
    api.user(Role::Customer, "c2")
        .post("/api/payments/verify", good.clone())
        .await
        .refused(404, "not_found");
    api.user(Role::Tailor, "c1")
        .post("/api/payments/verify", good)
        .await
        .refused(403, "forbidden");
    assert_eq!(api.world.head().await, before);
}

pub(super) fn event(name: &str, payment: &Value, amount: i64) -> String {
    event_of("pay_1", name, payment, amount)
}

/// Returns an event of this attempt.
pub(super) fn event_of(attempt: &str, name: &str, payment: &Value, amount: i64) -> String {
    let entity = json!({
        "id": attempt, "order_id": payment["razorpayOrderId"], "amount": amount,
        "currency": "INR", "status": "captured", "method": "upi",
    });
    json!({ "entity": "event", "event": name, "payload": { "payment": { "entity": entity } } })
        .to_string()
}

/// Returns the provider with the signature of a body.
pub(super) fn signed<'a>(api: &'a Api, id: &str, body: impl AsRef<[u8]>) -> As<'a> {
    let signature = crate::auth::secrets::digest(WEBHOOK_SECRET.as_bytes(), body.as_ref());
    let signature = hex::encode(hmac::Mac::finalize(signature).into_bytes());
    api.nobody()
        .with("x-razorpay-event-id", id)
        .with("x-razorpay-signature", &signature)
}

pub(super) async fn deliver(api: &Api, id: &str, body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    signed(api, id, body)
        .send("POST", "/api/payments/webhook", body.into())
        .await
}

async fn a_delivery_is_applied_once_and_remembered_over_restarts(api: Api) {
    let payment = opened(&api).await;
    let before = api.world.head().await;
    let body = event("payment.captured", &payment, 90_000);
    for (id, result) in [
        ("evt_1", "applied"),
        ("evt_1", "duplicate"),
        ("evt_2", "duplicate"),
    ] {
        assert_eq!(
            deliver(&api, id, &body).await.data(200),
            json!({ "result": result })
        );
    }
    assert_eq!(
        published(&api, before).await,
        ["payment_update", "new_notification"]
    );
    let api = Api::over(api.world.restarted().await);
    assert_eq!(
        deliver(&api, "evt_1", &body).await.data(200),
        json!({ "result": "duplicate" })
    );
}

async fn deliveries_in_any_order_move_forward_only(api: Api) {
    let payment = opened(&api).await;
    let before = api.world.head().await;
    for (id, name, result) in [
        ("evt_1", "refund.processed", "applied"),
        ("evt_2", "payment.captured", "ignored"),
        ("evt_3", "payment.failed", "ignored"),
        ("evt_4", "payment.authorized", "ignored"),
    ] {
        let body = event(name, &payment, 90_000);
        assert_eq!(
            deliver(&api, id, &body).await.data(200),
            json!({ "result": result }),
            "{name}"
        );
    }
    let logged = api.world.logged_after(before).await;
    let steps: Vec<_> = logged
        .iter()
        .filter(|l| l.0 == "payment_update")
        .map(|l| l.2["status"].clone())
        .collect();
    assert_eq!(steps, ["completed", "refunded"]);
    verify(&api, checkout(&payment, "pay_1"))
        .await
        .refused(409, "payment_closed");
}

async fn an_attempt_that_succeeds_after_one_that_failed_completes_the_payment(api: Api) {
    let payment = opened(&api).await;
    deliver(&api, "evt_1", &event("payment.failed", &payment, 90_000))
        .await
        .data(200);
    assert_eq!(
        verify(&api, checkout(&payment, "pay_2")).await.data(200)["payment"]["status"],
        "completed"
    );
    let again = format!("{} ", event("payment.failed", &payment, 90_000));
    let late = deliver(&api, "evt_2", &again).await;
    assert_eq!(late.data(200), json!({ "result": "ignored" }));
}

async fn a_payment_that_failed_is_followed_by_another(api: Api) {
    let payment = opened(&api).await;
    deliver(&api, "evt_1", &event("payment.failed", &payment, 90_000))
        .await
        .data(200);
    let path = format!(
        "/api/payments/orders/{}",
        payment["order"].as_str().unwrap()
    );
    let second = api.customer().post(&path, json!({})).await.data(201)["payment"].take();
    assert_ne!(second["razorpayOrderId"], payment["razorpayOrderId"]);
    assert_eq!(
        verify(&api, checkout(&second, "pay_2")).await.data(200)["payment"]["status"],
        "completed"
    );
}

async fn a_delivery_that_is_not_genuine_is_refused_and_does_not_use_up_its_id(api: Api) {
    let payment = opened(&api).await;
    let before = api.world.head().await;
    let body = event("payment.captured", &payment, 90_000);
    let forged = api
        .nobody()
        .with("x-razorpay-event-id", "evt_1")
        .with("x-razorpay-signature", &"0".repeat(64));
    forged
        .send("POST", "/api/payments/webhook", body.clone().into())
        .await
        .refused(401, "invalid_signature");
    api.nobody()
        .send("POST", "/api/payments/webhook", body.clone().into())
        .await
        .refused(401, "invalid_signature");
    assert_eq!(api.world.head().await, before);
    assert_eq!(
        deliver(&api, "evt_1", &body).await.data(200),
        json!({ "result": "applied" })
    );
}
