//! Payments: opened for the order's customer, confirmed only with a valid signature, and moved only
//! forward.

mod attempts;

use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::razorpay::{self, webhook_body, webhook_signature};
use metaia_tests::fixtures::{
    all_until_now, id_of, open_payment, place_order, set_status, verification,
};
use metaia_tests::server::Server;
use metaia_tests::server::rest::ApiResponse;
use serde_json::{Value, json};

/// Places an order of c1 and opens its payment.
async fn payment(server: &Server) -> Value {
    let order = place_order(server, "c1").await;
    open_payment(&server.api("customer", "c1"), id_of(&order)).await
}

async fn verify(server: &Server, body: &Value) -> ApiResponse {
    server
        .api("customer", "c1")
        .post("/api/payments/verify", body)
        .await
}

#[tokio::test]
async fn a_payment_is_opened_for_the_orders_amount() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let path = format!("/api/payments/orders/{}", id_of(&order));
    let opened = server
        .api("customer", "c1")
        .post(&path, &json!({}))
        .await
        .data(201);
    assert_eq!(opened["keyId"], "rzp_test_e2e");
    let payment = &opened["payment"];
    assert_eq!(payment["order"], order["_id"]);
    assert_eq!(payment["customer"], "c1");
    assert_eq!(payment["amount"], order["amount"]);
    assert_eq!(payment["currency"], "INR");
    assert_eq!(payment["status"], "created");
    assert!(
        payment["razorpayOrderId"].is_string() && payment["razorpayPaymentId"].is_null(),
        "{payment}"
    );
}

#[tokio::test]
async fn opening_again_returns_the_same_payment_until_it_is_paid() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let customer = server.api("customer", "c1");
    let first = open_payment(&customer, id_of(&order)).await;
    assert_eq!(open_payment(&customer, id_of(&order)).await, first);
    customer
        .post("/api/payments/verify", &verification(&first, "pay_1"))
        .await
        .ok(200);
    let path = format!("/api/payments/orders/{}", id_of(&order));
    customer
        .post(&path, &json!({}))
        .await
        .refused_as(409, "already_paid");
}

#[tokio::test]
async fn a_cancelled_order_cannot_be_paid() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    set_status(&server, id_of(&order), "cancelled").await;
    let path = format!("/api/payments/orders/{}", id_of(&order));
    server
        .api("customer", "c1")
        .post(&path, &json!({}))
        .await
        .refused_as(409, "order_closed");
}

#[tokio::test]
async fn a_wrong_signature_changes_nothing() {
    let server = Server::start().await;
    let payment = payment(&server).await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    let good = verification(&payment, "pay_1");
    let order = payment["razorpayOrderId"].as_str().unwrap();
    let foreign_key = razorpay::hmac_hex("another-key", format!("{order}|pay_1").as_bytes());
    for (name, signature) in [
        (
            "of another payment",
            verification(&payment, "pay_2")["razorpay_signature"].clone(),
        ),
        ("by another key", json!(foreign_key)),
        (
            "by the webhook secret",
            json!(razorpay::hmac_hex(
                razorpay::WEBHOOK_SECRET,
                format!("{order}|pay_1").as_bytes()
            )),
        ),
        ("empty", json!("")),
        ("not hexadecimal", json!("zz")),
        (
            "cut short",
            json!(good["razorpay_signature"].as_str().unwrap()[..62]),
        ),
    ] {
        let mut body = good.clone();
        body["razorpay_signature"] = signature;
        let answer = verify(&server, &body).await;
        assert_eq!(answer.status, 422, "{name}: {answer:#?}");
        answer.refused(422);
    }
    assert_eq!(all_until_now(&server, &mut phone).await, []);
    assert_eq!(
        verify(&server, &good).await.data(200)["payment"]["status"],
        "completed"
    );
}

#[tokio::test]
async fn a_signature_is_checked_against_the_payments_own_order() {
    let server = Server::start().await;
    let cheap = payment(&server).await;
    let dear = payment(&server).await;
    let mut body = verification(&cheap, "pay_1");
    body["razorpay_order_id"] = dear["razorpayOrderId"].clone();
    verify(&server, &body)
        .await
        .refused_as(422, "invalid_signature");
    body["razorpay_order_id"] = "order_unknown".into();
    verify(&server, &body).await.refused(404);
}

#[tokio::test]
async fn verifying_twice_announces_once() {
    let server = Server::start().await;
    let payment = payment(&server).await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    for _ in 0..2 {
        verify(&server, &verification(&payment, "pay_1"))
            .await
            .ok(200);
    }
    let received = all_until_now(&server, &mut phone).await;
    assert_eq!(
        received
            .iter()
            .filter(|event| event.name == "payment_update")
            .count(),
        1,
        "{received:#?}"
    );
}

fn webhook(event: &str, payment: &Value) -> String {
    webhook_body(event, "pay_1", payment)
}

async fn deliver(server: &Server, id: &str, body: &str, signature: &str) -> ApiResponse {
    let provider = server
        .anonymous()
        .header("x-razorpay-event-id", id)
        .header("x-razorpay-signature", signature);
    provider.post_bytes("/api/payments/webhook", body).await
}

#[tokio::test]
async fn a_signed_webhook_confirms_once() {
    let server = Server::start().await;
    let payment = payment(&server).await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    let body = webhook("payment.captured", &payment);
    for _ in 0..2 {
        let answer = deliver(&server, "evt_1", &body, &webhook_signature(&body)).await;
        answer.ok(200);
    }
    let received = all_until_now(&server, &mut phone).await;
    let updates: Vec<_> = received
        .iter()
        .filter(|event| event.name == "payment_update")
        .collect();
    assert_eq!(updates.len(), 1, "{received:#?}");
    assert_eq!(updates[0].data["status"], "completed");
}

#[tokio::test]
async fn a_webhook_only_moves_forward() {
    let server = Server::start().await;
    let payment = payment(&server).await;
    verify(&server, &verification(&payment, "pay_1"))
        .await
        .ok(200);
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    let body = webhook("payment.failed", &payment);
    let answer = deliver(&server, "evt_late", &body, &webhook_signature(&body)).await;
    // The provider repeats what is not answered with 2xx.
    answer.ok(200);
    assert_eq!(all_until_now(&server, &mut phone).await, []);
}

/// The signature is over the body, and not over the id of the event.
#[tokio::test]
async fn a_captured_webhook_under_new_event_ids_adds_nothing() {
    let server = Server::start().await;
    let payment = payment(&server).await;
    let body = webhook("payment.failed", &payment);
    let signature = webhook_signature(&body);
    let first = deliver(&server, "evt_1", &body, &signature).await;
    assert_eq!(first.data(200)["result"], "applied");
    let state = async || {
        let payments = server.admin().get("/api/payments").await;
        let position = payments.header("x-realtime-position").to_owned();
        (payments.text, position)
    };
    let before = state().await;
    for number in 2..20 {
        let again = deliver(&server, &format!("evt_{number}"), &body, &signature).await;
        assert_eq!(again.data(200)["result"], "duplicate");
    }
    assert_eq!(state().await, before);
    // None of the ids was used up.
    let captured = webhook("payment.captured", &payment);
    let signature = webhook_signature(&captured);
    let paid = deliver(&server, "evt_2", &captured, &signature).await;
    assert_eq!(paid.data(200)["result"], "applied");
}

#[tokio::test]
async fn a_payment_id_that_is_not_the_providers_is_refused() {
    let server = Server::start().await;
    let payment = payment(&server).await;
    let huge = format!("pay_{}", "x".repeat(60_000));
    for id in ["", "pay_", "pay_\0", "pay_é", "order_1", "pay_a_b", &huge] {
        let answer = verify(&server, &verification(&payment, id)).await;
        let problem = answer.refused(422);
        assert_eq!(problem["errors"][0]["pointer"], "/razorpay_payment_id");
        assert!(answer.text.len() < 1_000, "{answer:#?}");
    }
    let paid = verification(&payment, "pay_29QQoUBi66xm2f");
    verify(&server, &paid).await.ok(200);
}

/// Money was taken: an event that the provider has signed is not lost because of its id.
#[tokio::test]
async fn a_webhook_whose_payment_id_has_another_form_is_recorded() {
    let server = Server::start().await;
    let payment = payment(&server).await;
    let body = webhook_body("payment.captured", "txn-77", &payment);
    let answer = deliver(&server, "evt_1", &body, &webhook_signature(&body)).await;
    assert_eq!(answer.data(200)["result"], "applied");
    let payments = server.admin().get("/api/payments").await.data(200);
    assert_eq!(payments["payments"][0]["razorpayPaymentId"], "txn-77");
    server.wait_for_output("has not the form").await;
}

#[tokio::test]
async fn a_tampered_webhook_is_refused() {
    let server = Server::start().await;
    let payment = payment(&server).await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    let body = webhook("payment.captured", &payment);
    let good = webhook_signature(&body);
    let with_key = razorpay::hmac_hex(razorpay::KEY_SECRET, body.as_bytes());
    for (sent, signature) in [
        (body.replace("pay_1", "pay_2"), &good),
        (format!("{body} "), &good),
        (body.clone(), &with_key),
    ] {
        deliver(&server, "evt_bad", &sent, signature)
            .await
            .refused_as(401, "invalid_signature");
    }
    server
        .anonymous()
        .post_bytes("/api/payments/webhook", body.clone())
        .await
        .refused(401);
    assert_eq!(all_until_now(&server, &mut phone).await, []);

    // A refused delivery must not consume its event id.
    let answer = deliver(&server, "evt_bad", &body, &good).await;
    answer.ok(200);
    phone.event("payment_update").await;
}
