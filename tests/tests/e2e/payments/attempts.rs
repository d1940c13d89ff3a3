//! Several attempts at one order: money that was taken is recorded, and what needs a person is
//! told to the admins.

use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::razorpay::webhook_body;
use metaia_tests::fixtures::{
    all_until_now, deliver_webhook, id_of, open_payment, set_status, verification,
};
use metaia_tests::server::Server;
use serde_json::{Value, json};

use super::{payment, verify};

async fn report(server: &Server, attempt: &str, event: &str, payment: &Value) -> Value {
    deliver_webhook(server, &webhook_body(event, attempt, payment)).await
}

async fn verified(server: &Server, payment: &Value, attempt: &str) -> Value {
    let answer = verify(server, &verification(payment, attempt)).await;
    answer.data(200)["payment"].take()
}

/// Returns the payments that need a person.
async fn flagged(server: &Server) -> Vec<Value> {
    let path = "/api/payments?flagged=true";
    let answer = server.admin().get(path).await.data(200);
    answer["payments"].as_array().unwrap().clone()
}

#[track_caller]
fn assert_paid_by(payment: &Value, attempt: &str) {
    assert_eq!(payment["status"], "completed", "{payment}");
    assert_eq!(payment["razorpayPaymentId"], attempt, "{payment}");
}

#[tokio::test]
async fn an_event_of_another_attempt_does_not_change_what_is_paid() {
    let server = Server::start().await;
    for event in ["refund.processed", "payment.failed", "payment.captured"] {
        let paid = payment(&server).await;
        verified(&server, &paid, "pay_A").await;
        report(&server, "pay_B", event, &paid).await;
        assert_paid_by(&verified(&server, &paid, "pay_A").await, "pay_A");

        let open = payment(&server).await;
        report(&server, "pay_B", event, &open).await;
        let after = verified(&server, &open, "pay_A").await;
        assert_eq!(after["status"], "completed", "{after}");
    }
}

#[tokio::test]
async fn a_second_capture_is_told_to_the_admins_alone() {
    let server = Server::start().await;
    let payment = payment(&server).await;
    verified(&server, &payment, "pay_A").await;
    let mut admin = Phone::ready_as(&server, "admin", "a1").await;
    let mut customer = Phone::ready_as(&server, "customer", "c1").await;
    let result = report(&server, "pay_B", "payment.captured", &payment).await;
    assert_eq!(result, "applied");
    let update = admin.event("payment_update").await;
    assert_eq!(update["paymentId"], payment["_id"]);
    assert_eq!(update["status"], "completed");
    assert_eq!(update["flags"], json!(["second_capture"]));
    assert_eq!(all_until_now(&server, &mut customer).await, []);

    let listed = flagged(&server).await;
    assert_eq!(listed.len(), 1, "{listed:#?}");
    assert_paid_by(&listed[0], "pay_A");
    assert_eq!(listed[0]["attempts"][1]["id"], "pay_B");
    assert_eq!(listed[0]["attempts"][1]["status"], "completed");
    server.wait_for_output("a payment needs a person").await;
}

#[tokio::test]
async fn a_late_success_is_recorded_and_the_other_payment_ends() {
    let server = Server::start().await;
    let first = payment(&server).await;
    report(&server, "pay_A", "payment.failed", &first).await;
    let order = first["order"].as_str().unwrap();
    let customer = server.api("customer", "c1");
    let second = open_payment(&customer, order).await;
    assert_ne!(first["razorpayOrderId"], second["razorpayOrderId"]);
    let late = verified(&server, &first, "pay_B").await;
    assert_paid_by(&late, "pay_B");
    assert_eq!(late["flags"], json!(["late_success"]));
    let path = format!("/api/payments/orders/{order}");
    let again = customer.post(&path, &json!({})).await;
    again.refused_as(409, "already_paid");

    let also_paid = verified(&server, &second, "pay_C").await;
    assert_eq!(also_paid["status"], "failed");
    assert_eq!(also_paid["flags"], json!(["second_capture"]));
    assert_eq!(flagged(&server).await.len(), 2);
}

#[tokio::test]
async fn a_payment_of_a_cancelled_order_is_flagged() {
    let server = Server::start().await;
    let payment = payment(&server).await;
    set_status(&server, payment["order"].as_str().unwrap(), "cancelled").await;
    let paid = verified(&server, &payment, "pay_A").await;
    assert_paid_by(&paid, "pay_A");
    assert_eq!(paid["flags"], json!(["order_cancelled"]));
    assert_eq!(id_of(&flagged(&server).await[0]), id_of(&payment));
}

#[tokio::test]
async fn no_signed_webhook_is_repeated_for_ever() {
    let server = Server::start().await;
    let payment = payment(&server).await;
    let captured = webhook_body("payment.captured", "pay_A", &payment);
    let parsed: Value = serde_json::from_str(&captured).unwrap();
    let mut no_amount = parsed.clone();
    let entity = &mut no_amount["payload"]["payment"]["entity"];
    entity.as_object_mut().unwrap().remove("amount");
    let mut no_payment = parsed;
    no_payment["payload"] = json!([]);
    let unknown = json!({"razorpayOrderId": "order_of_others", "amount": 1});
    let unknown = webhook_body("payment.captured", "pay_A", &unknown);
    for body in [
        no_amount.to_string(),
        no_payment.to_string(),
        unknown,
        "{}".into(),
    ] {
        assert_eq!(deliver_webhook(&server, &body).await, "ignored", "{body}");
    }
    let other_amount = captured.replace("\"amount\":90000", "\"amount\":1");
    assert_eq!(deliver_webhook(&server, &other_amount).await, "applied");
    let open = flagged(&server).await;
    assert_eq!(open[0]["status"], "created");
    assert_eq!(open[0]["flags"], json!(["amount_mismatch"]));
    assert_eq!(open[0]["attempts"][0]["amount"], 1);

    let marked = webhook_body("payment.captured", "pay_B", &payment);
    let marked = format!("\u{feff}{marked}");
    assert_eq!(deliver_webhook(&server, &marked).await, "applied");
    assert_paid_by(&flagged(&server).await[0], "pay_B");
}
