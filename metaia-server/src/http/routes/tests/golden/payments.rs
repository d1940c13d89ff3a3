//! `/api/payments`

use super::{
    super::payments::{checkout, deliver, event, event_of, opened, signed},
    *,
};

on_both_stores!(
    Api: payments_that_are_opened,
    payments_that_are_verified,
    payments_that_are_listed,
    deliveries_of_the_provider,
);

const VERIFY: (&str, &str) = ("POST", "/api/payments/verify");

async fn payments_that_are_opened(api: Api) {
    let mut transcript = Transcript::new(&api);
    let (order, path) = api.order().await;
    let route = format!("/api/payments/orders/{}", order["_id"].as_str().unwrap());
    let keyed = api.customer().with("idempotency-key", "k-1");
    api.world.provider.refuse(true);
    let title = "while the provider is away";
    open(&mut transcript, title, &keyed, &route).await;
    api.world.provider.refuse(false);
    for (title, who) in [
        ("by the customer", &api.customer()),
        ("again", &api.customer()),
        ("under a key", &keyed),
        ("again under the key", &keyed),
        ("by another customer", &api.user(Role::Customer, "c2")),
        ("by an admin", &api.admin()),
    ] {
        open(&mut transcript, title, who, &route).await;
    }
    let cancelled = json!({ "status": "cancelled" });
    api.admin()
        .put(&format!("{path}/status"), cancelled)
        .await
        .data(200);
    open(
        &mut transcript,
        "of a cancelled order",
        &api.customer(),
        &route,
    )
    .await;
    open(
        &mut transcript,
        "again under the key, of a cancelled order",
        &keyed,
        &route,
    )
    .await;
    transcript.check("payments_opened");
}

async fn open(transcript: &mut Transcript, title: &str, who: &As<'_>, route: &str) {
    transcript
        .send(title, who, ("POST", route), Vec::new())
        .await;
}

async fn payments_that_are_verified(api: Api) {
    let mut transcript = Transcript::new(&api);
    let payment = opened(&api).await;
    let good = checkout(&payment, "pay_1");
    let mut forged = good.clone();
    forged["razorpay_signature"] = json!("00");
    let keyed = api.customer().with("idempotency-key", "k-1");
    for (title, who, body) in [
        ("with a wrong signature", &api.customer(), &forged),
        ("without members", &api.customer(), &json!({})),
        (
            "by another customer",
            &api.user(Role::Customer, "c2"),
            &good,
        ),
        ("by a tailor", &api.user(Role::Tailor, "c1"), &good),
        ("by the customer, under a key", &keyed, &good),
        ("again under the key", &keyed, &good),
        ("again", &api.customer(), &good),
        (
            "by another payment",
            &api.customer(),
            &checkout(&payment, "pay_2"),
        ),
    ] {
        transcript.json(title, who, VERIFY, body).await;
    }
    let route = format!(
        "/api/payments/orders/{}",
        payment["order"].as_str().unwrap()
    );
    open(&mut transcript, "opened once more", &api.customer(), &route).await;
    for attempt in ["pay_1", "pay_2"] {
        let refund = event_of(attempt, "refund.processed", &payment, 90_000);
        deliver(&api, attempt, &refund).await.data(200);
    }
    transcript
        .json("after a refund", &api.customer(), VERIFY, &good)
        .await;
    transcript.check("payments_verified");
}

async fn payments_that_are_listed(api: Api) {
    let mut transcript = Transcript::new(&api);
    let payment = opened(&api).await;
    let captured = event("payment.captured", &payment, 90_000);
    deliver(&api, "evt_1", &captured).await.data(200);
    let second = captured.replace("pay_1", "pay_2");
    deliver(&api, "evt_2", &second).await.data(200);
    let flagged = "/api/payments?flagged=true";
    transcript.get("flagged", &api.admin(), flagged).await;
    let wrong = "/api/payments?flagged=2";
    transcript
        .get("with a wrong filter", &api.admin(), wrong)
        .await;
    transcript
        .get("by the customer", &api.customer(), flagged)
        .await;
    transcript.check("payments_listed");
}

async fn deliveries_of_the_provider(api: Api) {
    let mut transcript = Transcript::new(&api);
    let payment = opened(&api).await;
    let captured = event("payment.captured", &payment, 90_000);
    // Another body: the same one would be a repetition.
    let paid = event("order.paid", &payment, 90_000);
    let without_id = format!("{paid} ");
    for (title, id, body) in [
        ("applied", "evt_1", captured.as_str()),
        ("again", "evt_1", &captured),
        ("without effect", "evt_2", &paid),
        (
            "over another amount",
            "evt_3",
            &event("refund.processed", &payment, 1),
        ),
        ("that is no event", "evt_4", "{}"),
        ("without an id", "", &without_id),
    ] {
        let provider = signed(&api, id, body);
        let route = ("POST", "/api/payments/webhook");
        transcript.send(title, &provider, route, body.into()).await;
    }
    let forged = signed(&api, "evt_5", "other");
    let route = ("POST", "/api/payments/webhook");
    transcript
        .send("forged", &forged, route, captured.into())
        .await;
    transcript.check("payments_delivered");
}
