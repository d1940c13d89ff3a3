//! Bad input: the server responds with the documented code, changes nothing, and continues to serve
//! everyone else.

use metaia_tests::clients::phone::Phone;
use metaia_tests::clients::polling::{HANDSHAKE, Polling};
use metaia_tests::eventually::within;
use metaia_tests::fixtures::{NO_ORDER, all_until_now, emit, id_of, order_body, place_order};
use metaia_tests::server::{Listening as _, Server};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn orders_of(server: &Server, user: &str) -> usize {
    let list = server
        .api("customer", user)
        .get("/api/orders")
        .await
        .data(200);
    list["orders"].as_array().unwrap().len()
}

#[tokio::test]
async fn bodies_that_are_not_json_are_refused() {
    let server = Server::start().await;
    let customer = server.api("customer", "c1");
    for body in ["", "{", "nonsense", "{\"items\": }", "\u{0}", "[1,2"] {
        let answer = customer.post_bytes("/api/orders", body).await;
        answer.refused_as(400, "invalid_json");
    }
    let two = customer.post_bytes("/api/orders", "{\"a\":1}{\"b\":2}");
    two.await.refused_as(422, "validation_failed");
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let answer = customer.post_bytes("/api/orders", deep).await;
    answer.refused_as(422, "validation_failed");
    let not_utf8 = customer.post_bytes("/api/orders", vec![b'"', 0xff, 0xfe, b'"']);
    not_utf8.await.refused_as(422, "validation_failed");
    let text = customer
        .header("content-type", "text/plain")
        .post("/api/orders", &order_body())
        .await;
    text.refused_as(415, "unsupported_media_type");
    assert_eq!(orders_of(&server, "c1").await, 0);
}

#[tokio::test]
async fn orders_with_a_wrong_member_are_refused_with_its_pointer() {
    let server = Server::start().await;
    let with = |pointer: &str, value: Value| {
        let mut body = order_body();
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[member] = value;
        body
    };
    for (pointer, value) in [
        ("/discount", json!(100)),
        ("/items/0/colour", json!("red")),
        ("/items/0/quantity", json!(0)),
        ("/items/0/quantity", json!(-1)),
        ("/items/0/quantity", json!(1.5)),
        ("/items/0/quantity", json!("2")),
        ("/items/0/price", json!(-1)),
        ("/items/0/price", json!(99.5)),
        ("/items/0/price", json!(1e30)),
        ("/items/0/garment", json!("")),
        ("/items/0/garment", json!(null)),
        ("/items", json!({})),
        ("/tailor", json!("no such id")),
        ("/tailor", json!({"$ne": null})),
        ("/currency", json!(7)),
    ] {
        let body = with(pointer, value);
        let answer = server
            .api("customer", "c1")
            .post("/api/orders", &body)
            .await;
        assert_eq!(answer.status, 422, "{body}: {answer:#?}");
        let problem = answer.refused(422);
        assert_eq!(
            problem["errors"][0]["pointer"], pointer,
            "{body}: {problem}"
        );
    }
    assert_eq!(orders_of(&server, "c1").await, 0);
}

#[tokio::test]
async fn amounts_do_not_overflow() {
    let server = Server::start().await;
    let item = json!({
        "garment": "gold",
        "quantity": 4_000_000_000_u32,
        "price": 9_000_000_000_000_000_000_u64,
    });
    let large = json!({"items": [item]});
    server
        .api("customer", "c1")
        .post("/api/orders", &large)
        .await
        .refused(422);
    assert_eq!(orders_of(&server, "c1").await, 0);
}

#[tokio::test]
async fn an_unknown_status_is_refused() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let path = format!("/api/orders/{}/status", id_of(&order));
    for body in [
        json!({}),
        json!({"status": "lost"}),
        json!({"status": 1}),
        json!({"status": "confirmed", "force": true}),
    ] {
        server.admin().put(&path, &body).await.refused(422);
    }
    let after = server
        .admin()
        .get(&format!("/api/orders/{}", id_of(&order)))
        .await
        .data(200);
    assert_eq!(after["order"], order);
}

#[tokio::test]
async fn malformed_ids_in_paths_are_refused() {
    let server = Server::start().await;
    for id in [
        NO_ORDER,
        "x",
        "%00",
        "..%2f..%2fetc",
        "%F0%9F%92%A5",
        &"a".repeat(2_000),
    ] {
        let answer = server
            .api("customer", "c1")
            .get(&format!("/api/orders/{id}"))
            .await;
        answer.refused_as(404, "not_found");
    }
}

#[tokio::test]
async fn an_assignment_without_a_valid_person_is_refused() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let path = format!("/api/orders/{}/assign", id_of(&order));
    for body in [
        json!({}),
        json!({"tailor": "a b"}),
        json!({"tailor": 7}),
        json!({"customer": "c2"}),
    ] {
        server.admin().put(&path, &body).await.refused(422);
    }
    server
        .admin()
        .put(
            &format!("/api/orders/{NO_ORDER}/assign"),
            &json!({"tailor": "t1"}),
        )
        .await
        .refused(404);
}

#[tokio::test]
async fn malformed_packets_do_not_affect_other_clients() {
    let server = Server::start().await;
    let mut good = Phone::ready_as(&server, "customer", "c1").await;
    let packets = [
        "",
        "4",
        "42",
        "42[",
        "42[]",
        "42{}",
        "42[1]",
        "42[null,1]",
        "42[{}]",
        "4299999999999999999999[\"x\"]",
        "42/other,[\"x\"]",
        "45-[]",
        "451-",
        "45999999-[\"x\"]",
        "43[]",
        "431[\"x\"]",
        "44{}",
        "46",
        "4é",
        "40{",
        "40",
        "1",
        "2probe",
        "3",
        "5",
        "6",
        "7",
        "9",
        "é",
        "42[\"\\u006a\\u006f\\u0069\\u006e\",1]",
        "b64",
        "4b\u{0}",
        "42[\"join_order_room\",\"\u{0}\"]",
    ];
    for packet in packets {
        let mut bad = Phone::ready_as(&server, "customer", "c2").await;
        bad.send(packet).await;
        // This connection may end or not. The next one must work, and all others must stay.
        bad.drop_connection();
        let mut unauthenticated = Phone::open(&server).await;
        unauthenticated.send(packet).await;
        unauthenticated.drop_connection();
    }
    emit(&server, &json!({"user": "c1"}), "still_here", &json!({})).await;
    assert_eq!(all_until_now(&server, &mut good).await.len(), 1);
    server.anonymous().get("/livez").await.ok(200);
    assert!(
        !server.output_lines().join("\n").contains("panicked"),
        "{:#?}",
        server.output_lines()
    );
}

#[tokio::test]
async fn an_event_before_connect_closes_the_connection() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let mut phone = Phone::open(&server).await;
    phone.emit("join_order_room", &order["_id"]).await;
    phone.closed().await;
}

#[tokio::test]
async fn other_namespaces_do_not_exist() {
    let server = Server::start().await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    phone.send("40/admin,{}").await;
    emit(&server, &json!({"user": "c1"}), "still_here", &json!({})).await;
    phone.event("still_here").await;
}

#[tokio::test]
async fn malformed_auth_is_refused() {
    let server = Server::start().await;
    let token = metaia_tests::fixtures::token::token("customer", "c1");
    for auth in [
        json!({"token": 7}),
        json!({"token": null}),
        json!({"token": {}}),
        json!({"token": ""}),
        json!({}),
    ] {
        let mut phone = Phone::open(&server).await;
        assert_eq!(
            phone.connect(&auth).await,
            Err("unauthorized".into()),
            "{auth}"
        );
    }
    // The protocol allows only objects here. Other shapes may be refused as a malformed packet.
    for auth in [
        json!([]),
        json!("text"),
        json!(7),
        json!([{"token": token}]),
    ] {
        Phone::open(&server)
            .await
            .connect(&auth)
            .await
            .expect_err("auth must be an object");
    }
    for orders in [
        json!("x"),
        json!(7),
        json!([7]),
        json!([""]),
        json!({}),
        json!([null]),
    ] {
        let mut phone = Phone::open(&server).await;
        let connected = phone
            .connect(&json!({"token": token, "orders": orders}))
            .await;
        if connected.is_ok() {
            let events = phone.until("rt:ready").await;
            assert_eq!(
                events.last().unwrap().data["rooms"]
                    .as_array()
                    .unwrap()
                    .len(),
                2,
                "{orders}"
            );
        }
    }
}

#[tokio::test]
async fn malformed_polling_does_not_affect_the_server() {
    let server = Server::start().await;
    let anonymous = server.anonymous();
    for path in [
        "/socket.io/",
        "/socket.io/?EIO=3&transport=polling",
        "/socket.io/?EIO=4",
        "/socket.io/?EIO=4&transport=carrier-pigeon",
        "/socket.io/?EIO=4&transport=polling&sid=unknown",
        "/socket.io/?EIO=4&transport=websocket&sid=unknown",
        "/socket.io/?EIO=%00&transport=polling",
    ] {
        let answer = anonymous.get(path).await;
        assert_eq!(answer.status, 400, "{path}: {answer:#?}");
    }
    for body in [
        "\u{1e}",
        "\u{1e}\u{1e}\u{1e}",
        "4\u{1e}",
        "x",
        "é",
        "4é\u{1e}2",
        "bAAAA",
        "b!!!!",
    ] {
        Polling::open(&anonymous).await.send(body).await;
    }
    anonymous.get(HANDSHAKE).await.ok(200);
    assert!(
        !server.output_lines().join("\n").contains("panicked"),
        "{:#?}",
        server.output_lines()
    );
}

#[tokio::test]
async fn an_endless_request_head_is_refused() {
    let server = Server::start().await;
    let mut stream = TcpStream::connect(("127.0.0.1", server.port()))
        .await
        .unwrap();
    stream
        .write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\nx-long: ")
        .await
        .unwrap();
    // This write and the read may fail, because the server may have closed the connection by then.
    let _ = stream.write_all(&[b'a'; 100_000]).await;
    let mut answer = Vec::new();
    let read = within("an answer", stream.read_to_end(&mut answer)).await;
    let refused = answer.starts_with(b"HTTP/1.1 431 ");
    assert!(
        refused || read.is_err(),
        "not refused before its end: {}",
        String::from_utf8_lossy(&answer)
    );
    server.anonymous().get("/livez").await.ok(200);
}

/// Returns an order whose items have names of measurements that are refused, as many and as long as
/// a body may have.
fn order_with_bad_measurements() -> String {
    let name = |number: usize| format!("{number}{}", "\u{1}".repeat(30));
    let measurements: serde_json::Map<_, _> =
        (0..30).map(|number| (name(number), json!(-1))).collect();
    let item = json!({"garment": "", "quantity": 0, "price": -1, "measurements": measurements});
    json!({"items": vec![item; 8]}).to_string()
}

#[tokio::test]
async fn errors_repeat_little_of_what_was_sent() {
    let server = Server::start().await;
    let customer = server.api("customer", "c1");
    let long = "x".repeat(60_000);
    let bodies = [
        json!({ long.as_str(): 1 }).to_string(),
        json!({"items": long}).to_string(),
        json!({"items": [{"garment": "shirt", "quantity": long, "price": 1}]}).to_string(),
        json!({"items": [], "currency": &long[..50_000], "tailor": "\u{1}".repeat(500)})
            .to_string(),
        order_with_bad_measurements(),
    ];
    for body in bodies {
        let start = body[..60].to_owned();
        let answer = customer.post_bytes("/api/orders", body).await;
        let problem = answer.refused(422);
        assert!(
            answer.text.len() <= 8_192,
            "{} bytes: {start}",
            answer.text.len()
        );
        assert!(problem["errors"].as_array().unwrap().len() <= 20, "{start}");
    }
    let admin = server.admin();
    let path = format!("/api/orders?status={}", &long[..10_000]);
    let answer = admin.get(&path).await;
    answer.refused_as(422, "validation_failed");
    assert!(answer.text.len() <= 8_192, "{} bytes", answer.text.len());
    let body = json!({ "status": long });
    let answer = admin
        .put(&format!("/api/orders/{NO_ORDER}/status"), &body)
        .await;
    assert!(answer.text.len() <= 8_192, "{} bytes", answer.text.len());
}
