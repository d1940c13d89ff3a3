//! Deliveries that the provider would repeat for ever: what is signed and cannot be used is
//! answered with success, and counted by its reason.

use super::{
    payments::{checkout, deliver, event, event_of, opened},
    *,
};

on_both_stores!(
    Api: what_cannot_concern_us_is_ignored_and_counted,
    a_byte_order_mark_is_read_over,
    an_event_without_an_id_is_seen_once,
    amounts_may_be_written_with_a_fraction_of_zero,
    a_capture_is_not_lost_because_of_what_nobody_reads,
    no_amount_is_rounded,
    captures_that_arrive_at_once_are_all_listed,
    a_body_under_another_event_id_is_a_duplicate,
    copies_of_a_body_that_arrive_at_once_are_applied_once,
    an_event_id_does_not_stand_for_a_body,
    a_payment_whose_id_has_another_form_is_recorded_and_counted,
);

fn of_unknown_order() -> String {
    let order = json!({ "razorpayOrderId": "order_of_others" });
    event("payment.captured", &order, 5)
}

/// Returns an event whose member at this place is replaced.
fn with(payment: &Value, pointer: &str, value: Value) -> String {
    let body = event("payment.captured", payment, 90_000);
    let mut body: Value = serde_json::from_str(&body).unwrap();
    *body.pointer_mut(pointer).unwrap() = value;
    body.to_string()
}

/// Returns bodies that change nothing, with the reasons.
fn bodies(payment: &Value) -> Vec<(String, &'static str)> {
    let entity = "/payload/payment/entity";
    vec![
        (String::new(), "unreadable"),
        ("{}".into(), "unreadable"),
        ("[]".into(), "unreadable"),
        ("no JSON".into(), "unreadable"),
        ("[".repeat(5_000), "unreadable"),
        (with(payment, "/event", json!(7)), "unreadable"),
        (
            with(payment, "/event", json!("payment.authorized")),
            "other_event",
        ),
        (
            with(payment, "/event", json!("settlement.processed")),
            "other_event",
        ),
        (with(payment, "/payload", json!([])), "incomplete"),
        (with(payment, "/payload", json!(null)), "incomplete"),
        (with(payment, "/payload/payment", json!([])), "incomplete"),
        (with(payment, entity, json!([])), "incomplete"),
        (
            with(payment, &format!("{entity}/amount"), json!(null)),
            "incomplete",
        ),
        (
            with(payment, &format!("{entity}/order_id"), json!(null)),
            "incomplete",
        ),
        (of_unknown_order(), "unknown_order"),
    ]
}

fn counted(api: &Api, reason: &str) -> u64 {
    let mut ignored = api.world.services.payment_counts().ignored();
    ignored.find(|(name, _)| *name == reason).unwrap().1
}

async fn what_cannot_concern_us_is_ignored_and_counted(api: Api) {
    let payment = opened(&api).await;
    let before = api.world.head().await;
    for (n, (body, reason)) in bodies(&payment).into_iter().enumerate() {
        let count = counted(&api, reason);
        let reply = deliver(&api, &format!("evt_{n}"), &body).await;
        assert_eq!(reply.data(200), json!({ "result": "ignored" }), "{body}");
        assert_eq!(counted(&api, reason), count + 1, "{reason}: {body}");
    }
    assert_eq!(api.world.head().await, before);

    // It uses up no id: the event may come again, as it should have been.
    let body = event("payment.captured", &payment, 90_000);
    for (id, result) in [
        ("evt_0", "applied"),
        ("evt_0", "duplicate"),
        ("evt_x", "duplicate"),
    ] {
        let reply = deliver(&api, id, &body).await;
        assert_eq!(reply.data(200), json!({ "result": result }));
    }
    assert_eq!(counted(&api, "duplicate"), 2);
    let paid = event("order.paid", &payment, 90_000);
    let reply = deliver(&api, "evt_y", &paid).await;
    assert_eq!(reply.data(200), json!({ "result": "ignored" }));
    assert_eq!(counted(&api, "unchanged"), 1);
}

async fn a_byte_order_mark_is_read_over(api: Api) {
    let payment = opened(&api).await;
    let body = format!("\u{feff}{}", event("payment.captured", &payment, 90_000));
    let reply = deliver(&api, "evt_1", &body).await;
    assert_eq!(reply.data(200), json!({ "result": "applied" }));
}

async fn an_event_without_an_id_is_seen_once(api: Api) {
    for id in [String::new(), "x".repeat(129)] {
        let payment = opened(&api).await;
        let body = event_of("pay_A", "payment.failed", &payment, 90_000);
        for result in ["applied", "duplicate"] {
            let reply = deliver(&api, &id, &body).await;
            assert_eq!(reply.data(200), json!({ "result": result }));
        }
        let paid = api
            .customer()
            .post("/api/payments/verify", checkout(&payment, "pay_B"))
            .await;
        assert_eq!(paid.data(200)["payment"]["status"], "completed");
    }
}

async fn amounts_may_be_written_with_a_fraction_of_zero(api: Api) {
    for amount in ["90000.0", "9e4", "9.0E+4"] {
        let payment = opened(&api).await;
        let body = event("payment.captured", &payment, 90_000);
        let body = body.replace("\"amount\":90000", &format!("\"amount\":{amount}"));
        let id = format!("evt_{amount}");
        let reply = deliver(&api, &id, &body).await;
        assert_eq!(reply.data(200), json!({ "result": "applied" }), "{amount}");
        let all = api.admin().get("/api/payments?limit=1").await.data(200);
        assert_eq!(all["payments"][0]["status"], "completed");
        assert_eq!(all["payments"][0]["flags"], json!([]));
    }
}

async fn a_capture_is_not_lost_because_of_what_nobody_reads(api: Api) {
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let values: [&[u8]; 5] = [
        br#"{"name":"Asha \ud83d"}"#,
        b"\"\xff\xfe\"",
        b"1e400",
        br#"{"\udc00":"\ud83d\ud83d"}"#,
        deep.as_bytes(),
    ];
    for (n, value) in values.into_iter().enumerate() {
        let payment = opened(&api).await;
        let body = event("payment.captured", &payment, 90_000);
        let at = body.find("\"id\"").unwrap();
        let (before, behind) = body.as_bytes().split_at(at);
        let body = [before, b"\"notes\":", value, b",", behind].concat();
        let reply = deliver(&api, &format!("evt_{n}"), &body).await;
        assert_eq!(reply.data(200), json!({ "result": "applied" }), "{n}");
        let all = api.admin().get("/api/payments?limit=1").await.data(200);
        assert_eq!(all["payments"][0]["status"], "completed", "{n}");
    }
}

async fn no_amount_is_rounded(api: Api) {
    let payment = opened(&api).await;
    let body = event("payment.captured", &payment, 90_000);
    let body = body.replace("90000", "90000.0000000000001");
    let reply = deliver(&api, "evt_1", &body).await;
    assert_eq!(reply.data(200), json!({ "result": "ignored" }));
    assert_eq!(counted(&api, "incomplete"), 1);
}

async fn captures_that_arrive_at_once_are_all_listed(api: Api) {
    let payment = opened(&api).await;
    let bodies = ["pay_A", "pay_B", "pay_C", "pay_D"]
        .map(|attempt| event_of(attempt, "payment.captured", &payment, 90_000));
    // Without an id of its own, an event is known by its body.
    let deliveries = bodies.iter().map(|body| deliver(&api, "", body));
    for reply in futures_util::future::join_all(deliveries).await {
        assert_eq!(reply.data(200), json!({ "result": "applied" }));
    }
    let flagged = api
        .admin()
        .get("/api/payments?flagged=true")
        .await
        .data(200);
    let flagged = &flagged["payments"][0];
    assert_eq!(flagged["status"], "completed");
    assert_eq!(flagged["flags"], json!(["second_capture"]));
    assert_eq!(flagged["attempts"].as_array().unwrap().len(), 4);
}

/// The signature covers the body, and not the id of the event.
async fn a_body_under_another_event_id_is_a_duplicate(api: Api) {
    let payment = opened(&api).await;
    let body = event("payment.failed", &payment, 90_000);
    let first = deliver(&api, "evt_1", &body).await;
    assert_eq!(first.data(200), json!({ "result": "applied" }));
    let payments = || async { api.admin().get("/api/payments").await.data(200) };
    let before = (api.world.head().await, payments().await);
    for id in ["evt_2", "evt_3", "", "evt_é"] {
        let again = deliver(&api, id, &body).await;
        assert_eq!(again.data(200), json!({ "result": "duplicate" }), "{id}");
    }
    assert_eq!((api.world.head().await, payments().await), before);
    // The ids were not stored: each is free for its own event.
    let captured = event("payment.captured", &payment, 90_000);
    let next = deliver(&api, "evt_2", &captured).await;
    assert_eq!(next.data(200), json!({ "result": "applied" }));
    let api = Api::over(api.world.restarted().await);
    for body in [body, captured] {
        let again = deliver(&api, "evt_4", &body).await;
        assert_eq!(again.data(200), json!({ "result": "duplicate" }));
    }
}

async fn copies_of_a_body_that_arrive_at_once_are_applied_once(api: Api) {
    let payment = opened(&api).await;
    let body = event("payment.captured", &payment, 90_000);
    let ids: Vec<_> = (0..8).map(|n| format!("evt_{n}")).collect();
    let deliveries = ids.iter().map(|id| deliver(&api, id, &body));
    let replies = futures_util::future::join_all(deliveries).await;
    let results: Vec<_> = replies
        .into_iter()
        .map(|reply| reply.data(200)["result"].clone())
        .collect();
    let count = |result: &str| results.iter().filter(|it| **it == result).count();
    assert_eq!((count("applied"), count("duplicate")), (1, 7));
}

/// Otherwise the digest of a body that is still to come could be used up.
async fn an_event_id_does_not_stand_for_a_body(api: Api) {
    let payment = opened(&api).await;
    let captured = event("payment.captured", &payment, 90_000);
    let digest = <sha2::Sha256 as sha2::Digest>::digest(captured.as_bytes());
    let id = format!("sha256:{}", hex::encode(digest));
    let failed = event("payment.failed", &payment, 90_000);
    for (id, body) in [(&*id, &failed), ("evt_1", &captured)] {
        let reply = deliver(&api, id, body).await;
        assert_eq!(reply.data(200), json!({ "result": "applied" }));
    }
}

/// Money was taken: the provider has signed it.
async fn a_payment_whose_id_has_another_form_is_recorded_and_counted(api: Api) {
    for (n, attempt) in ["xyz", "pay_a b", "pay_\0", "pay_é", "pay_"]
        .into_iter()
        .enumerate()
    {
        let payment = opened(&api).await;
        let body = event_of(attempt, "payment.captured", &payment, 90_000);
        let reply = deliver(&api, &format!("evt_{n}"), &body).await;
        assert_eq!(reply.data(200), json!({ "result": "applied" }), "{attempt}");
        let all = api.admin().get("/api/payments?limit=1").await.data(200);
        assert_eq!(all["payments"][0]["status"], "completed");
        assert_eq!(all["payments"][0]["razorpayPaymentId"], attempt);
    }
    assert_eq!(api.world.services.payment_counts().unusual_ids(), 5);
    let payment = opened(&api).await;
    let body = event("payment.captured", &payment, 90_000);
    deliver(&api, "evt_usual", &body).await.data(200);
    assert_eq!(api.world.services.payment_counts().unusual_ids(), 5);
}
