//! Several attempts at one payment, and several payments of one order: each event acts on the
//! attempt that it names, money that was taken is recorded, and what needs a person is flagged.

use ::mongodb::bson::doc;

use super::{
    payments::{checkout, deliver, event, event_of, opened},
    *,
};

on_both_stores!(
    Api: an_event_of_another_attempt_leaves_a_paid_payment_as_it_is,
    an_event_of_another_attempt_leaves_an_open_payment_payable,
    a_second_capture_is_flagged_and_told_to_the_admins,
    a_second_checkout_is_recorded_and_flagged,
    the_second_attempt_pays_once_the_first_is_paid_back,
    a_late_success_completes_and_ends_the_other_open_payment,
    a_late_success_of_an_order_that_is_paid_is_a_second_capture,
    a_payment_of_a_cancelled_order_is_recorded_and_flagged,
    another_amount_is_recorded_and_flagged_and_completes_nothing,
    flagged_payments_are_listed_in_pages,
    many_failed_attempts_do_not_hide_the_one_that_pays,
    a_payment_beside_one_that_cannot_be_read_is_recorded,
);

const PRICE: i64 = 90_000;

/// The result of a signed delivery with an id of its own.
async fn delivered(api: &Api, body: &str) -> Value {
    let id = format!("evt_{}", crate::model::PaymentId::random());
    deliver(api, &id, body).await.data(200)["result"].take()
}

async fn report(api: &Api, attempt: &str, name: &str, payment: &Value) -> Value {
    delivered(api, &event_of(attempt, name, payment, PRICE)).await
}

async fn verified(api: &Api, payment: &Value, attempt: &str) -> Value {
    let customer = api.customer();
    let body = checkout(payment, attempt);
    let reply = customer.post("/api/payments/verify", body).await;
    reply.data(200)["payment"].take()
}

/// Opens the payment of the same order again.
async fn opened_again(api: &Api, payment: &Value) -> Value {
    let path = path_to_open(payment);
    let customer = api.customer();
    customer.post(&path, json!({})).await.data(201)["payment"].take()
}

fn path_to_open(payment: &Value) -> String {
    let order = payment["order"].as_str().unwrap();
    format!("/api/payments/orders/{order}")
}

/// Returns the payment as an admin sees it.
async fn shown(api: &Api, payment: &Value) -> Value {
    let all = api.admin().get("/api/payments?limit=100").await.data(200);
    let mut listed = all["payments"].as_array().unwrap().iter();
    let found = listed.find(|listed| listed["_id"] == payment["_id"]);
    found.unwrap().clone()
}

/// Returns the ids and statuses of the attempts.
fn attempts(payment: &Value) -> Vec<(&str, &str)> {
    let listed = payment["attempts"].as_array().unwrap().iter();
    let text = |member| Value::as_str(member).unwrap();
    listed
        .map(|attempt| (text(&attempt["id"]), text(&attempt["status"])))
        .collect()
}

#[track_caller]
fn assert_paid_by(payment: &Value, attempt: &str) {
    assert_eq!(payment["status"], "completed", "{payment}");
    assert_eq!(payment["razorpayPaymentId"], attempt, "{payment}");
}

/// Returns the payment updates after entry `n`: their rooms and their payloads.
async fn updates_after(api: &Api, n: u64) -> Vec<(Vec<String>, Value)> {
    let logged = api.world.logged_after(n).await.into_iter();
    logged
        .filter(|(name, ..)| name == "payment_update")
        .map(|(_, rooms, payload)| (rooms, payload))
        .collect()
}

async fn an_event_of_another_attempt_leaves_a_paid_payment_as_it_is(api: Api) {
    let payment = opened(&api).await;
    verified(&api, &payment, "pay_A").await;
    let before = api.world.head().await;
    for name in ["payment.failed", "refund.processed", "payment.failed"] {
        report(&api, "pay_B", name, &payment).await;
        let paid = verified(&api, &payment, "pay_A").await;
        assert_paid_by(&paid, "pay_A");
        assert_eq!(paid["flags"], json!([]));
    }
    let expected = [("pay_A", "completed"), ("pay_B", "refunded")];
    assert_eq!(attempts(&shown(&api, &payment).await), expected);
    assert_eq!(api.world.head().await, before, "nothing was announced");
}

async fn an_event_of_another_attempt_leaves_an_open_payment_payable(api: Api) {
    for name in ["refund.processed", "payment.failed"] {
        let payment = opened(&api).await;
        assert_eq!(report(&api, "pay_B", name, &payment).await, "applied");
        let paid = verified(&api, &payment, "pay_A").await;
        assert_paid_by(&paid, "pay_A");
        assert_eq!(paid["flags"], json!([]));
    }
}

async fn a_second_capture_is_flagged_and_told_to_the_admins(api: Api) {
    for name in ["payment.captured", "order.paid"] {
        let payment = opened(&api).await;
        verified(&api, &payment, "pay_A").await;
        let before = api.world.head().await;
        assert_eq!(report(&api, "pay_B", name, &payment).await, "applied");
        assert_eq!(report(&api, "pay_B", name, &payment).await, "duplicate");
        // Another delivery of what the payment shows already.
        let again = format!("{} ", event_of("pay_B", name, &payment, PRICE));
        assert_eq!(delivered(&api, &again).await, "ignored");
        let paid = shown(&api, &payment).await;
        assert_paid_by(&paid, "pay_A");
        assert_eq!(paid["flags"], json!(["second_capture"]));
        let update = json!({
            "paymentId": payment["_id"], "orderId": payment["order"], "status": "completed",
            "amount": PRICE, "currency": "INR", "flags": ["second_capture"],
        });
        let rooms = vec!["admin-room".to_owned()];
        assert_eq!(updates_after(&api, before).await, [(rooms, update)]);
        // A refund of it changes nothing that is paid.
        report(&api, "pay_B", "refund.processed", &payment).await;
        assert_paid_by(&verified(&api, &payment, "pay_A").await, "pay_A");
    }
}

async fn a_second_checkout_is_recorded_and_flagged(api: Api) {
    let payment = opened(&api).await;
    verified(&api, &payment, "pay_A").await;
    for _ in 0..2 {
        let second = verified(&api, &payment, "pay_B").await;
        assert_paid_by(&second, "pay_A");
        assert_eq!(second["flags"], json!(["second_capture"]));
        let expected = [("pay_A", "completed"), ("pay_B", "completed")];
        assert_eq!(attempts(&second), expected);
    }
}

async fn the_second_attempt_pays_once_the_first_is_paid_back(api: Api) {
    let payment = opened(&api).await;
    verified(&api, &payment, "pay_A").await;
    report(&api, "pay_B", "payment.captured", &payment).await;
    report(&api, "pay_A", "refund.processed", &payment).await;
    assert_paid_by(&shown(&api, &payment).await, "pay_B");
    report(&api, "pay_B", "refund.processed", &payment).await;
    assert_eq!(shown(&api, &payment).await["status"], "refunded");
}

async fn a_late_success_completes_and_ends_the_other_open_payment(api: Api) {
    for late in ["payment.captured", "order.paid", "a checkout"] {
        let first = opened(&api).await;
        report(&api, "pay_A", "payment.failed", &first).await;
        let second = opened_again(&api, &first).await;
        let before = api.world.head().await;
        if late == "a checkout" {
            verified(&api, &first, "pay_B").await;
        } else {
            assert_eq!(report(&api, "pay_B", late, &first).await, "applied");
        }
        let paid = shown(&api, &first).await;
        assert_paid_by(&paid, "pay_B");
        assert_eq!(paid["flags"], json!(["late_success"]));
        assert_eq!(shown(&api, &second).await["status"], "failed");
        let updates = updates_after(&api, before).await;
        let told = updates
            .iter()
            .map(|(_, update)| (&update["paymentId"], &update["status"]));
        let failed = json!("failed");
        let completed = json!("completed");
        let expected = [(&second["_id"], &failed), (&first["_id"], &completed)];
        assert_eq!(told.collect::<Vec<_>>(), expected);
        api.customer()
            .post(&path_to_open(&first), json!({}))
            .await
            .refused(409, "already_paid");

        // The other checkout may still be open on the customer's screen.
        let also_paid = verified(&api, &second, "pay_C").await;
        assert_eq!(also_paid["status"], "failed");
        assert_eq!(also_paid["flags"], json!(["second_capture"]));
        assert_eq!(attempts(&also_paid), [("pay_C", "completed")]);
        assert_eq!(
            report(&api, "pay_D", late_of(late), &second).await,
            "applied"
        );
        assert_paid_by(&verified(&api, &first, "pay_B").await, "pay_B");
    }
}

fn late_of(late: &str) -> &str {
    if late == "a checkout" {
        "order.paid"
    } else {
        late
    }
}

async fn a_late_success_of_an_order_that_is_paid_is_a_second_capture(api: Api) {
    let first = opened(&api).await;
    report(&api, "pay_A", "payment.failed", &first).await;
    let second = opened_again(&api, &first).await;
    verified(&api, &second, "pay_B").await;
    let late = verified(&api, &first, "pay_C").await;
    assert_eq!(late["status"], "failed");
    assert_eq!(late["flags"], json!(["second_capture"]));
    assert_paid_by(&verified(&api, &second, "pay_B").await, "pay_B");
    // A payment that is paid back meanwhile is no longer a second one: the other attempt pays.
    report(&api, "pay_B", "refund.processed", &second).await;
    report(&api, "pay_C", "order.paid", &first).await;
    assert_paid_by(&shown(&api, &first).await, "pay_C");
}

async fn a_payment_of_a_cancelled_order_is_recorded_and_flagged(api: Api) {
    for by_checkout in [true, false] {
        let payment = opened(&api).await;
        let path = format!("/api/orders/{}/status", payment["order"].as_str().unwrap());
        let cancelled = json!({ "status": "cancelled" });
        api.admin().put(&path, cancelled).await.data(200);
        let before = api.world.head().await;
        if by_checkout {
            verified(&api, &payment, "pay_A").await;
        }
        report(&api, "pay_A", "payment.captured", &payment).await;
        let paid = shown(&api, &payment).await;
        assert_paid_by(&paid, "pay_A");
        assert_eq!(paid["flags"], json!(["order_cancelled"]));
        let updates = updates_after(&api, before).await;
        assert_eq!(updates.len(), 1, "{updates:?}");
        assert_eq!(updates[0].0, ["user-c1", "admin-room"]);
        assert_eq!(updates[0].1["flags"], json!(["order_cancelled"]));
    }
}

async fn another_amount_is_recorded_and_flagged_and_completes_nothing(api: Api) {
    for (amount, currency) in [(1, "INR"), (PRICE + 1, "INR"), (0, "INR"), (PRICE, "USD")] {
        let payment = opened(&api).await;
        let before = api.world.head().await;
        let body = event_of("pay_A", "payment.captured", &payment, amount);
        let body = body.replace("INR", currency);
        assert_eq!(delivered(&api, &body).await, "applied");
        let open = shown(&api, &payment).await;
        assert_eq!(open["status"], "created");
        assert_eq!(open["razorpayPaymentId"], Value::Null);
        assert_eq!(open["flags"], json!(["amount_mismatch"]));
        let attempt = &open["attempts"][0];
        assert_eq!(attempt["amount"], amount);
        assert_eq!(attempt["currency"], currency);
        let updates = updates_after(&api, before).await;
        assert_eq!(updates.len(), 1, "{updates:?}");
        assert_eq!(updates[0].0, ["admin-room"]);
        assert_paid_by(&verified(&api, &payment, "pay_B").await, "pay_B");
        // Nor does a refund over another amount undo what is paid.
        let refund = event_of("pay_B", "refund.processed", &payment, 1);
        assert_eq!(delivered(&api, &refund).await, "applied");
        assert_paid_by(&verified(&api, &payment, "pay_B").await, "pay_B");
    }
}

async fn flagged_payments_are_listed_in_pages(api: Api) {
    let mut flagged = Vec::new();
    for n in 0..5 {
        let payment = opened(&api).await;
        verified(&api, &payment, "pay_A").await;
        if n != 2 {
            report(&api, "pay_B", "payment.captured", &payment).await;
            flagged.insert(0, payment["_id"].clone());
        }
    }
    let mut listed = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/payments?flagged=true&limit=3{cursor}");
        let page = api.admin().get(&path).await.data(200);
        let payments = page["payments"].as_array().unwrap().iter();
        listed.extend(payments.map(|payment| payment["_id"].clone()));
        let Some(next) = page["nextCursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(listed, flagged);
    let api = Api::over(api.world.restarted().await);
    let page = api
        .admin()
        .get("/api/payments?flagged=true")
        .await
        .data(200);
    assert_eq!(page["payments"].as_array().unwrap().len(), 4);
}

async fn many_failed_attempts_do_not_hide_the_one_that_pays(api: Api) {
    let payment = opened(&api).await;
    for n in 0..40 {
        report(&api, &format!("pay_{n}"), "payment.failed", &payment).await;
    }
    assert_eq!(
        delivered(&api, &event("payment.captured", &payment, PRICE)).await,
        "applied"
    );
    let paid = shown(&api, &payment).await;
    assert_paid_by(&paid, "pay_1");
    assert_eq!(attempts(&paid).len(), crate::model::MAX_LISTED_ATTEMPTS);
}

/// Money is never refused because of another payment, whatever that one was.
async fn a_payment_beside_one_that_cannot_be_read_is_recorded(api: Api) {
    for (is_paid, by_checkout) in [(false, true), (false, false), (true, true), (true, false)] {
        let first = opened(&api).await;
        report(&api, "pay_A", "payment.failed", &first).await;
        let second = opened_again(&api, &first).await;
        if is_paid {
            verified(&api, &second, "pay_B").await;
        }
        let damaged = second["razorpayOrderId"].as_str().unwrap();
        api.world.damage_payment(damaged).await;
        if by_checkout {
            verified(&api, &first, "pay_C").await;
        } else {
            let captured = report(&api, "pay_C", "payment.captured", &first).await;
            assert_eq!(captured, "applied");
        }
        let id = first["razorpayOrderId"].as_str().unwrap();
        let recorded = api.world.store.payment(id).await.unwrap().unwrap();
        let recorded = serde_json::to_value(recorded).unwrap();
        assert_eq!(recorded["status"], "failed");
        assert_eq!(recorded["flags"], json!(["second_capture"]));
        assert_eq!(
            attempts(&recorded),
            [("pay_A", "failed"), ("pay_C", "completed")]
        );
    }
}

/// Other programs may leave several open payments of an order.
#[tokio::test]
async fn of_two_open_payments_the_one_that_can_be_read_completes() {
    let api = Api::new(On::MongoDb).await;
    for by_checkout in [true, false] {
        let payment = opened(&api).await;
        let order = payment["order"].as_str().unwrap();
        let foreign = doc! { "order": order, "status": "created", "razorpayOrderId": 5 };
        api.world.insert_foreign("payments", foreign).await;
        if by_checkout {
            verified(&api, &payment, "pay_A").await;
        } else {
            let captured = report(&api, "pay_A", "payment.captured", &payment).await;
            assert_eq!(captured, "applied");
        }
        assert_paid_by(&shown(&api, &payment).await, "pay_A");
    }
}
