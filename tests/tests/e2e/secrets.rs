//! Checks that no token, key or secret is logged at any level, answered or measured, whatever a
//! client does.

use metaia_tests::clients::phone::Phone;
use metaia_tests::clients::polling::Polling;
use metaia_tests::fixtures::razorpay::{KEY_SECRET, WEBHOOK_SECRET, webhook_signature};
use metaia_tests::fixtures::token::{SECRET, Token, token};
use metaia_tests::fixtures::{id_of, open_payment, place_order, verification};
use metaia_tests::server::process::Process;
use metaia_tests::server::rest::ApiResponse;
use metaia_tests::server::{API_KEY, Server, Setup};
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

/// A secret that is nowhere else.
const CLUSTER_KEY: &str = "canary-cluster-key-5d41402abc4b2a76";
const OLD_SECRET: &str = "canary-old-secret-7d793037a0760186574b0282";
const REDIS_PASSWORD: &str = "canary-redis-password-90af";
const WRONG_KEY: &str = "canary-wrong-api-key-0123";

/// The texts that the server has sent to anybody.
#[derive(Default)]
struct Sent(Vec<String>);

impl Sent {
    fn add(&mut self, answer: &ApiResponse) {
        self.0
            .push(format!("{:?}\n{}", answer.headers, answer.text));
    }

    /// Checks that none of them contains the secret.
    #[track_caller]
    fn assert_without(&self, name: &str, secret: &str) {
        let found: Vec<_> = self.0.iter().filter(|text| text.contains(secret)).collect();
        assert!(found.is_empty(), "{name} was sent: {found:#?}");
    }
}

/// Sends each secret where a client can send one, rightly and wrongly.
async fn send_secrets(server: &Server, sent: &mut Sent, tokens: [&str; 2]) {
    let [good, forged] = tokens;
    let anonymous = server.anonymous();
    let wrong_key = anonymous.header("x-api-key", WRONG_KEY);
    let right_key = anonymous.header("x-api-key", API_KEY);
    let signature = webhook_signature("{}");
    let provider = anonymous.header("x-razorpay-signature", &signature);
    for api in [
        anonymous.bearer(good),
        anonymous.bearer(forged),
        wrong_key,
        right_key,
    ] {
        for path in [
            "/api/orders".to_owned(),
            "/api/nothing".to_owned(),
            format!("/api/orders?token={good}"),
            format!("/socket.io/?EIO=4&transport=polling&token={good}"),
        ] {
            sent.add(&api.get(&path).await);
        }
        let order = json!({"items": [{"garment": 7}]});
        sent.add(&api.post("/api/orders", &order).await);
        sent.add(&api.post_bytes("/api/orders", "{").await);
    }
    sent.add(&provider.post_bytes("/api/payments/webhook", "{}").await);
    sent.add(&provider.post_bytes("/api/payments/webhook", "[]").await);
    for _ in 0..25 {
        sent.add(
            &anonymous
                .header("x-api-key", WRONG_KEY)
                .get("/api/orders")
                .await,
        );
    }
}

/// Reads everything that the server says of itself.
async fn ask_all(server: &Server, sent: &mut Sent) {
    let admin = server.admin();
    for path in [
        "sessions",
        "rooms",
        "presence?users=c1",
        "stats",
        "refusals",
    ] {
        sent.add(&admin.get(&format!("/api/realtime/{path}")).await);
    }
    for path in ["/livez", "/readyz", "/openapi.json"] {
        sent.add(&server.anonymous().get(path).await);
    }
    let metrics = server.metrics().await;
    assert!(metrics.contains("metaia_http_requests_total"), "{metrics}");
    sent.0.push(metrics);
}

/// Returns the last part of a token, which makes it one.
fn signature_of(token: &str) -> String {
    token.rsplit_once('.').unwrap().1.to_owned()
}

#[tokio::test]
async fn nothing_secret_is_answered_or_measured() {
    let redis = format!("redis://:{REDIS_PASSWORD}@127.0.0.1:1");
    let setup = Setup::new()
        .env("RUST_LOG", "trace")
        .env("JWT_SECRETS_OLD", OLD_SECRET)
        .env("METAIA_CLUSTER_KEY", CLUSTER_KEY)
        .env("REDIS_URL", &redis);
    let server = setup.start().await;
    let good = token("customer", "c1");
    let forged = Token::new("customer", "c1").secret("an-attackers-own-secret");
    let forged = forged.sign();
    let _phone = Phone::ready_with(&server, &json!({"token": good})).await;
    let mut attacker = Phone::open(&server).await;
    let refused = attacker.connect(&json!({"token": forged})).await;
    assert_eq!(refused, Err("unauthorized".into()));

    let mut sent = Sent::default();
    send_secrets(&server, &mut sent, [&good, &forged]).await;
    ask_all(&server, &mut sent).await;
    let shown = Process::run(server.setup().command_with(&["config"])).await;
    sent.0.push(shown.output());
    sent.0.push(server.output_lines().join("\n"));
    for (name, secret) in [
        ("a token", signature_of(&good)),
        ("a forged token", signature_of(&forged)),
        ("JWT_SECRET", SECRET.to_owned()),
        ("JWT_SECRETS_OLD", OLD_SECRET.to_owned()),
        ("METAIA_API_KEY", API_KEY.to_owned()),
        ("a wrong API key", WRONG_KEY.to_owned()),
        ("METAIA_CLUSTER_KEY", CLUSTER_KEY.to_owned()),
        ("REDIS_URL", REDIS_PASSWORD.to_owned()),
        ("RAZORPAY_KEY_SECRET", KEY_SECRET.to_owned()),
        ("RAZORPAY_WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
        ("a webhook's signature", webhook_signature("{}")),
    ] {
        sent.assert_without(name, &secret);
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
