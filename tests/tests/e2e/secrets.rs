//! Checks that no token, key or secret is logged at any level, whatever a client does.

use metaia_tests::clients::phone::Phone;
use metaia_tests::clients::polling::Polling;
use metaia_tests::fixtures::razorpay::{KEY_SECRET, WEBHOOK_SECRET};
use metaia_tests::fixtures::token::{SECRET, Token, token};
use metaia_tests::fixtures::{id_of, open_payment, place_order, verification};
use metaia_tests::server::{API_KEY, Setup};
use serde_json::json;

#[tokio::test]
async fn nothing_secret_is_logged() {
    let server = Setup::new().env("RUST_LOG", "trace").start().await;
    let good = token("customer", "c1");
    let forged = Token::new("customer", "c1")
        .secret("an-attackers-own-secret")
        .sign();

    let mut phone = Phone::ready_with(&server, &json!({"token": good})).await;
    let mut attacker = Phone::open(&server).await;
    attacker
        .connect(&json!({"token": forged}))
        .await
        .expect_err("a forged token is refused");
    let header = format!("Bearer {good}");
    let mut by_header = Phone::open_with(&server, &[("authorization", &header)])
        .await
        .expect("a handshake");
    by_header.connect(&json!({})).await.expect("a valid token");
    let polling = Polling::open(&server.anonymous().bearer(&good)).await;
    polling
        .send(&format!("40{}", json!({"token": good})))
        .await
        .ok(200);

    let order = place_order(&server, "c1").await;
    phone.call("join_order_room", &order["_id"]).await;
    let customer = server.api("customer", "c1");
    let payment = open_payment(&customer, id_of(&order)).await;
    let verification = verification(&payment, "pay_1");
    customer
        .post("/api/payments/verify", &verification)
        .await
        .ok(200);
    server
        .anonymous()
        .bearer(&forged)
        .get("/api/orders")
        .await
        .refused(401);
    server
        .anonymous()
        .header("x-api-key", "a-wrong-api-key-0123")
        .get("/api/orders")
        .await
        .refused(401);
    let backend = server.anonymous().header("x-api-key", API_KEY);
    backend
        .post(
            "/api/realtime/emit",
            &json!({"to": "everyone", "event": "x", "data": {}}),
        )
        .await
        .ok(202);

    let log = server.output_lines().join("\n");
    assert!(log.contains("User connected: c1 (customer)"), "{log}");
    let signature_of = |token: &str| token.rsplit_once('.').unwrap().1.to_owned();
    for (name, secret) in [
        ("a token", signature_of(&good)),
        ("a forged token", signature_of(&forged)),
        ("JWT_SECRET", SECRET.to_owned()),
        ("METAIA_API_KEY", API_KEY.to_owned()),
        ("a wrong API key", "a-wrong-api-key-0123".to_owned()),
        ("RAZORPAY_KEY_SECRET", KEY_SECRET.to_owned()),
        ("RAZORPAY_WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
        (
            "a payment's signature",
            verification["razorpay_signature"]
                .as_str()
                .unwrap()
                .to_owned(),
        ),
    ] {
        let lines: Vec<_> = log.lines().filter(|line| line.contains(&secret)).collect();
        assert!(lines.is_empty(), "{name} is in the log: {lines:#?}");
    }
}

#[tokio::test]
async fn refusals_do_not_repeat_the_token() {
    let server = Setup::new().start().await;
    let forged = Token::new("customer", "c1")
        .secret("an-attackers-own-secret")
        .sign();
    let answer = server.anonymous().bearer(&forged).get("/api/orders").await;
    answer.refused(401);
    assert!(!answer.text.contains(&forged), "{answer:#?}");
}
