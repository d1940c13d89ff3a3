//! Every limit, tested from outside with its default or with a setting.

use metaia_tests::clients::phone::Phone;
use metaia_tests::clients::polling::{HANDSHAKE, Polling};
use metaia_tests::fixtures::token::token;
use metaia_tests::fixtures::{all_until_now, emit, id_of, order_body, raise_fence, up_to_fence};
use metaia_tests::server::{Server, Setup};
use serde_json::{Value, json};

const KIB: usize = 1024;

#[tokio::test]
async fn a_message_over_64_kib_ends_the_connection() {
    let server = Server::start().await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    phone
        .emit("join_order_room", &json!("x".repeat(64 * KIB)))
        .await;
    phone.closed().await;
}

#[tokio::test]
async fn a_message_over_64_kib_in_small_frames_ends_the_connection_too() {
    let server = Server::start().await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    let part = "x".repeat(30 * KIB);
    let fragments = [
        "42[\"join_order_room\",\"".to_owned(),
        part.clone(),
        part.clone(),
        part,
        "\"]".to_owned(),
    ];
    phone.send_fragments(&fragments).await;
    phone.closed().await;
}

#[tokio::test]
async fn a_message_within_64_kib_is_accepted() {
    let server = Server::start().await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    let answer = phone
        .call("join_order_room", &json!("x".repeat(60 * KIB)))
        .await;
    assert_eq!(answer["code"], "invalid_order_id");
}

#[tokio::test]
async fn a_polling_body_over_64_kib_is_refused() {
    let server = Server::start().await;
    let polling = Polling::open(&server.anonymous()).await;
    let answer = polling.send(&format!("4{}", "x".repeat(65 * KIB))).await;
    answer.ok(413);
}

#[tokio::test]
async fn an_entry_over_64_kib_is_refused_before_anything_changes() {
    let server = Server::start().await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    let before = emit(&server, &json!({"user": "c1"}), "before", &json!({})).await;
    // The body is within the limit of REST. The entry with its envelope is not.
    let mut body = json!({"to": {"user": "c1"}, "event": "large", "data": {"text": ""}});
    let room = 64 * KIB - body.to_string().len();
    body["data"]["text"] = "x".repeat(room).into();
    assert_eq!(body.to_string().len(), 64 * KIB);
    let refused = server.admin().post("/api/realtime/emit", &body).await;
    refused.refused_as(413, "payload_too_large");
    let after = emit(&server, &json!({"user": "c1"}), "after", &json!({})).await;
    let number = |at: &Value| {
        at["at"]
            .as_str()
            .unwrap()
            .rsplit_once('.')
            .unwrap()
            .1
            .parse::<u64>()
            .unwrap()
    };
    assert_eq!(number(&after), number(&before) + 1);
    let events = all_until_now(&server, &mut phone).await;
    assert_eq!(metaia_tests::fixtures::names(&events), ["before", "after"]);
}

#[tokio::test]
async fn binary_attachments_are_refused() {
    let server = Server::start().await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    phone
        .send(r#"451-7["join_order_room",{"_placeholder":true,"num":0}]"#)
        .await;
    phone.send_binary(vec![0; 16]).await;
    let refused = phone.ack(7).await;
    assert_eq!(refused["code"], "malformed");
}

#[tokio::test]
async fn a_connection_that_never_authenticates_is_closed() {
    let server = Server::start().await;
    let mut silent = Phone::open(&server).await;
    let mut good = Phone::ready_as(&server, "customer", "c1").await;
    silent.closed().await;
    assert_eq!(
        all_until_now(&server, &mut good).await,
        [],
        "no other client is affected"
    );
}

#[tokio::test]
async fn the_third_refused_connect_closes_the_connection() {
    let server = Server::start().await;
    let mut phone = Phone::open(&server).await;
    for _ in 1..=3 {
        assert_eq!(
            phone.connect(&json!({"token": "wrong"})).await,
            Err("unauthorized".into())
        );
    }
    phone.closed().await;
}

/// Emits `count` events at once. Returns how many are refused as `rate_limited`: none of the first
/// `burst` is.
async fn refused_of(phone: &mut Phone, event: &str, count: usize, burst: usize) -> usize {
    let mut asked = Vec::new();
    for index in 0..count {
        asked.push(phone.start_call(event, &json!(format!("o{index}"))).await);
    }
    let mut refused = 0;
    for (index, id) in asked.into_iter().enumerate() {
        if phone.ack(id).await["code"] == "rate_limited" {
            assert!(index >= burst, "{event} {index} is within the burst");
            refused += 1;
        }
    }
    refused
}

#[tokio::test]
async fn events_over_the_rate_are_refused_and_the_connection_stays() {
    let server = Server::start().await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    assert!(refused_of(&mut phone, "unknown", 60, 40).await > 0);
    assert!(refused_of(&mut phone, "join_order_room", 150, 128).await > 0);
    assert!(refused_of(&mut phone, "unknown", 2_000, 0).await > 1_900);
    emit(&server, &json!({"user": "c1"}), "still_here", &json!({})).await;
    phone.event("still_here").await;
}

#[tokio::test]
async fn one_session_over_the_users_cap_closes_the_least_recently_active() {
    let server = Setup::new()
        .env("METAIA_LIMITS", "per_user=3")
        .start()
        .await;
    let mut phones = Vec::new();
    for _ in 0..3 {
        phones.push(Phone::ready_as(&server, "customer", "c1").await);
    }
    // The first session sends an event, so that the second one is the least recently active.
    phones[0].call("join_order_room", &json!("none")).await;
    let mut fourth = Phone::ready_as(&server, "customer", "c1").await;
    phones.remove(1).closed().await;

    phones.push(Phone::ready_as(&server, "customer", "c2").await);
    raise_fence(&server).await;
    up_to_fence(&mut fourth).await;
    for phone in &mut phones {
        up_to_fence(phone).await;
    }
}

#[tokio::test]
async fn sixteen_sessions_per_user_are_the_default() {
    let server = Server::start().await;
    let mut phones = Vec::new();
    for _ in 0..16 {
        phones.push(Phone::ready_as(&server, "customer", "c1").await);
    }
    raise_fence(&server).await;
    for phone in &mut phones {
        up_to_fence(phone).await;
    }
    let mut last = Phone::ready_as(&server, "customer", "c1").await;
    phones.remove(0).closed().await;
    raise_fence(&server).await;
    up_to_fence(&mut last).await;
}

#[tokio::test]
async fn the_total_of_sessions_is_limited_before_the_handshake() {
    let server = Setup::new().env("METAIA_LIMITS", "total=2").start().await;
    let mut first = Phone::ready_as(&server, "customer", "c1").await;
    let second = Phone::ready_as(&server, "customer", "c2").await;
    let refusal = Phone::open_with(&server, &[])
        .await
        .expect_err("a third is too many");
    assert_eq!(refusal.status, 503);
    assert!(refusal.retry_after.is_some(), "{refusal:?}");
    let polling = server.anonymous().get(HANDSHAKE).await;
    assert_eq!(polling.status, 503, "{polling:#?}");
    assert!(!polling.header("retry-after").is_empty(), "{polling:#?}");

    second.drop_connection();
    metaia_tests::eventually::eventually("a session slot to become free", async || {
        Phone::open_with(&server, &[]).await.ok()
    })
    .await;
    assert_eq!(all_until_now(&server, &mut first).await, []);
}

#[tokio::test]
async fn handshakes_per_second_are_limited() {
    let server = Setup::new()
        .env("METAIA_LIMITS", "handshakes_per_s=2")
        .start()
        .await;
    let mut refusals = 0;
    for _ in 0..30 {
        let answer = server.anonymous().get(HANDSHAKE).await;
        match answer.status {
            200 => (),
            503 => {
                assert!(!answer.header("retry-after").is_empty(), "{answer:#?}");
                refusals += 1;
            }
            _ => panic!("{answer:#?}"),
        }
    }
    assert!(refusals > 0, "30 handshakes at once are over 2 per second");
}

#[tokio::test]
async fn rooms_per_session_are_limited() {
    let server = Server::start().await;
    let mut orders = Vec::new();
    let mut body = order_body();
    body["customer"] = "c1".into();
    for _ in 0..130 {
        let order = server.admin().post("/api/orders", &body).await.data(201);
        orders.push(id_of(&order["order"]).to_owned());
    }
    let auth = json!({"token": token("customer", "c1"), "orders": orders[..120]});
    let mut phone = Phone::ready_with(&server, &auth).await;
    let mut codes = Vec::new();
    for order in &orders[120..] {
        codes.push(phone.call("join_order_room", &json!(order)).await["code"].clone());
    }
    // Every client is in two rooms, so 126 orders make 128 rooms.
    let full = json!("too_many_rooms");
    assert_eq!(codes[..6], vec![json!(null); 6], "{codes:?}");
    assert!(codes[6..].iter().all(|code| *code == full), "{codes:?}");
    phone.call("leave_order_room", &json!(orders[0])).await;
    assert_eq!(
        phone.call("join_order_room", &json!(orders[129])).await["status"],
        "ok"
    );
}

#[tokio::test]
async fn auth_accepts_at_most_128_orders() {
    let server = Server::start().await;
    let orders: Vec<_> = (0..2_000).map(|n| format!("order{n}")).collect();
    let auth = json!({"token": token("customer", "c1"), "orders": orders});
    let mut phone = Phone::open(&server).await;
    if phone.connect(&auth).await.is_ok() {
        let events = phone.until("rt:ready").await;
        assert!(events.len() <= 130, "{} answers", events.len());
        let rooms = events.last().unwrap().data["rooms"]
            .as_array()
            .unwrap()
            .len();
        assert_eq!(rooms, 2);
    }
}

#[tokio::test]
async fn rest_bodies_are_limited_to_64_kib() {
    let server = Server::start().await;
    let body = format!(
        "{{\"items\": [], \"deliveryAddress\": \"{}\"}}",
        "x".repeat(64 * KIB)
    );
    server
        .api("customer", "c1")
        .post_bytes("/api/orders", body)
        .await
        .refused(413);
}

#[tokio::test]
async fn an_order_has_at_most_100_items() {
    let server = Server::start().await;
    let item = json!({"garment": "shirt", "quantity": 1, "price": 100});
    let customer = server.api("customer", "c1");
    customer
        .post("/api/orders", &json!({"items": vec![&item; 100]}))
        .await
        .ok(201);
    customer
        .post("/api/orders", &json!({"items": vec![&item; 101]}))
        .await
        .refused(422);
    customer
        .post("/api/orders", &json!({"items": []}))
        .await
        .refused(422);
}

#[tokio::test]
async fn rest_requests_are_limited_per_user_but_not_for_admins() {
    let server = Setup::new()
        .env("METAIA_LIMITS", "rest_per_s=2")
        .start()
        .await;
    let mut limited = 0;
    for _ in 0..40 {
        let answer = server.api("customer", "c1").get("/api/orders").await;
        if answer.status != 200 {
            answer.refused_as(429, "rate_limited");
            assert!(!answer.header("retry-after").is_empty(), "{answer:#?}");
            limited += 1;
        }
        server.admin().get("/api/orders").await.ok(200);
    }
    assert!(limited > 0, "40 requests at once are over 2 per second");
    server
        .api("customer", "c2")
        .get("/api/orders")
        .await
        .ok(200);
}
