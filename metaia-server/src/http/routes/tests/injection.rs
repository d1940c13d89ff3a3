//! Database operators in every place where a client can send text: they are refused by type, or
//! stored and returned to the byte. On both stores they find nothing and change nothing.

use super::*;

on_both_stores!(
    Api: an_operator_in_the_place_of_a_text_is_refused,
    half_a_character_is_refused_with_its_place,
    a_text_that_looks_like_an_operator_is_a_text,
    names_of_measurements_are_not_paths,
    nothing_in_an_address_finds_what_is_not_there,
    a_key_that_looks_like_an_operator_is_a_key,
    an_emitted_payload_is_kept_to_the_byte,
);

fn operators() -> [Value; 9] {
    [
        json!({ "$ne": null }),
        json!({ "$gt": "" }),
        json!({ "$oid": "000000000000000000000000" }),
        json!({ "$where": "while (true) {}" }),
        json!({ "$regex": ".*" }),
        json!({ "$date": 0 }),
        json!({ "$numberLong": "1" }),
        json!({ "$expr": { "$eq": [1, 1] } }),
        json!([{ "$ne": null }]),
    ]
}

/// Texts that are code in a database or a shell.
const TEXTS: [&str; 6] = [
    "$where: while (true) {}",
    "{\"$ne\": null}",
    "$$ROOT",
    "a.b.$[]",
    "'; DROP TABLE orders; --",
    "$oid",
];

/// Returns every body, with the pointers of its members that take a text.
fn members() -> Vec<(&'static str, &'static str, Value, Vec<&'static str>)> {
    let mut full = order();
    full["items"][0]["notes"] = json!("n");
    full["items"][0]["measurements"] = json!({ "chest": "38 in" });
    full["deliveryAddress"] = json!("a");
    let notice = json!({
        "user": "c1", "type": "system", "title": "t", "message": "m", "relatedOrder": "o1",
    });
    let checkout = json!({
        "razorpay_order_id": "a", "razorpay_payment_id": "pay_b", "razorpay_signature": "c",
    });
    let of_order = vec![
        "/items/0/garment",
        "/items/0/notes",
        "/items/0/measurements/chest",
        "/items/0/price",
        "/items/0/quantity",
        "/deliveryAddress",
        "/currency",
        "/tailor",
        "/customer",
    ];
    vec![
        ("POST", "/api/orders", full, of_order),
        (
            "PUT",
            "{order}/status",
            json!({ "status": "confirmed" }),
            vec!["/status"],
        ),
        (
            "PUT",
            "{order}/assign",
            json!({ "tailor": "t1" }),
            vec!["/tailor", "/deliveryPartner"],
        ),
        (
            "POST",
            "/api/notifications",
            notice,
            vec!["/user", "/type", "/title", "/message", "/relatedOrder"],
        ),
        (
            "POST",
            "/api/payments/verify",
            checkout,
            vec![
                "/razorpay_order_id",
                "/razorpay_payment_id",
                "/razorpay_signature",
            ],
        ),
        (
            "PUT",
            "/api/tailors/me/status",
            json!({ "status": "busy" }),
            vec!["/status"],
        ),
        (
            "POST",
            "/api/realtime/emit",
            json!({ "to": "everyone", "event": "x", "data": {} }),
            vec!["/to", "/event"],
        ),
        (
            "POST",
            "/api/realtime/revoke",
            json!({ "user": "c1" }),
            vec!["/user", "/jti"],
        ),
    ]
}

/// Returns the client that may use a route.
fn who<'a>(api: &'a Api, address: &str) -> As<'a> {
    match address {
        "/api/orders" | "/api/payments/verify" => api.customer(),
        "/api/tailors/me/status" => api.user(Role::Tailor, "t1"),
        _ => api.admin(),
    }
}

fn put_at(body: &mut Value, pointer: &str, value: Value) {
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[member] = value;
}

async fn an_operator_in_the_place_of_a_text_is_refused(api: Api) {
    let (_, path) = api.order().await;
    let before = api.world.head().await;
    for (method, address, body, pointers) in members() {
        let who = who(&api, address);
        for pointer in pointers {
            for operator in operators() {
                let mut body = body.clone();
                put_at(&mut body, pointer, operator);
                let address = address.replace("{order}", &path);
                let reply = who
                    .send(method, &address, body.to_string().into_bytes())
                    .await;
                reply.refused(422, "validation_failed");
            }
        }
    }
    assert_eq!(api.world.head().await, before);
}

/// JSON may have one half of a surrogate pair, and no text has it.
async fn half_a_character_is_refused_with_its_place(api: Api) {
    let (_, path) = api.order().await;
    let before = api.world.head().await;
    for (method, address, body, pointers) in members() {
        let who = who(&api, address);
        let address = address.replace("{order}", &path);
        for pointer in pointers {
            for half in ["\\ud800", "\\udc00", "a\\udfffb", "\\ud800\\u0041"] {
                let mut body = body.clone();
                put_at(&mut body, pointer, json!("HALF"));
                let body = body.to_string().replace("HALF", half);
                let reply = who.send(method, &address, body.clone().into_bytes()).await;
                reply.refused_at(pointer);
                let says_why = reply.text.contains("surrogate");
                assert!(says_why, "{body}: {}", reply.text);
            }
        }
    }
    let event = r#"{"to":"everyone","event":"x","data":{"a":[{"b":"\ud800"}]}}"#;
    let path = "/api/realtime/emit";
    let refused = api.admin().send("POST", path, event.into()).await;
    refused.refused_at("/data");
    assert_eq!(api.world.head().await, before);
}

async fn a_text_that_looks_like_an_operator_is_a_text(api: Api) {
    for text in TEXTS {
        let mut body = order();
        body["items"][0]["garment"] = json!(text);
        body["items"][0]["notes"] = json!(text);
        body["items"][0]["measurements"] = json!({ "chest": text });
        body["deliveryAddress"] = json!(text);
        let placed = api
            .customer()
            .post("/api/orders", body.clone())
            .await
            .data(201)["order"]
            .take();
        assert_eq!(placed["items"], body["items"]);
        let path = format!("/api/orders/{}", placed["_id"].as_str().unwrap());
        assert_eq!(api.customer().get(&path).await.data(200)["order"], placed);
        let notice = json!({ "user": "c9", "type": "system", "title": text, "message": text });
        let sent = api
            .admin()
            .post("/api/notifications", notice)
            .await
            .data(201)["notification"]
            .take();
        let listed = api
            .user(Role::Customer, "c9")
            .get("/api/notifications?limit=1")
            .await
            .data(200);
        assert_eq!(listed["notifications"], json!([sent]));
        let unknown = json!({
            "razorpay_order_id": text, "razorpay_payment_id": "pay_1", "razorpay_signature": text,
        });
        let mut malformed = unknown.clone();
        malformed["razorpay_payment_id"] = json!(text);
        let path = "/api/payments/verify";
        let refused = api.customer().post(path, malformed).await;
        refused.refused_at("/razorpay_payment_id");
        api.customer()
            .post(path, unknown)
            .await
            .refused(404, "not_found");
    }
}

async fn names_of_measurements_are_not_paths(api: Api) {
    let measurements = json!({
        "$ne": 1, "$where": "while (true) {}", "a.b": 2.5, ".": "dot", "$": 0, "__proto__": -1,
        "_id": "x", "$oid": "y", "name": 3, "value": 4, "large": u64::MAX, "exact": 0.1,
        "whole": 96.0, "least": i64::MIN, "": "no",
    });
    let mut body = order();
    body["items"][0]["measurements"] = measurements;
    api.customer()
        .post("/api/orders", body.clone())
        .await
        .refused_at("/items/0/measurements/");
    body["items"][0]["measurements"]
        .as_object_mut()
        .unwrap()
        .remove("");
    let placed = api
        .customer()
        .post("/api/orders", body.clone())
        .await
        .data(201)["order"]
        .take();
    let path = format!("/api/orders/{}", placed["_id"].as_str().unwrap());
    let read = api.customer().get(&path).await.data(200)["order"].take();
    assert_eq!(
        read["items"][0]["measurements"].to_string(),
        body["items"][0]["measurements"].to_string()
    );
    assert_eq!(read.to_string(), placed.to_string(), "to the byte");
}

async fn nothing_in_an_address_finds_what_is_not_there(api: Api) {
    let (_, path) = api.order().await;
    let id = path.rsplit('/').next().unwrap();
    for wrong in [
        "%7B%22$ne%22:null%7D",
        "$ne",
        "%24where",
        "[$ne]",
        "null",
        "_id",
        "%7B%22$oid%22:%22000000000000000000000000%22%7D",
        &id.to_uppercase().replace(char::is_numeric, "A"),
    ] {
        for (method, address) in [
            ("GET", format!("/api/orders/{wrong}")),
            ("PUT", format!("/api/orders/{wrong}/status")),
            ("PUT", format!("/api/notifications/{wrong}/read")),
            ("POST", format!("/api/payments/orders/{wrong}")),
        ] {
            let body = json!({ "status": "cancelled" }).to_string().into_bytes();
            api.customer()
                .send(method, &address, body)
                .await
                .refused(404, "not_found");
        }
    }
    for query in [
        "status[$ne]=x",
        "status[]=pending",
        "cursor[$gt]=1",
        "limit[$gt]=1",
        "$where=1",
        "status=$ne",
    ] {
        let reply = api.customer().get(&format!("/api/orders?{query}")).await;
        reply.refused(422, "validation_failed");
    }
    for query in [
        "since[$gt]=1",
        "unread[$ne]=false",
        "user=c2",
        "user[$ne]=c1",
    ] {
        let reply = api
            .customer()
            .get(&format!("/api/notifications?{query}"))
            .await;
        reply.refused(422, "validation_failed");
    }
}

async fn a_key_that_looks_like_an_operator_is_a_key(api: Api) {
    let mut placed = std::collections::BTreeSet::new();
    for key in ["{\"$ne\":null}", "$gt", "a.b", "$oid", ".", "$[]"] {
        let keyed = api.customer().with("idempotency-key", key);
        let first = keyed.post("/api/orders", order()).await;
        let second = keyed.post("/api/orders", order()).await;
        assert_eq!(
            (first.data(201), second.header("idempotency-replayed")),
            (second.data(201), "true")
        );
        placed.insert(first.data(201)["order"]["_id"].as_str().unwrap().to_owned());
    }
    assert_eq!(placed.len(), 6, "each its own");
}

async fn an_emitted_payload_is_kept_to_the_byte(api: Api) {
    let data = concat!(
        r#"{"$ne": null, "a.b": {"$oid": "x", "$": [{"$where": 1}]}, "#,
        r#""$date": 0, "n": 1.0e2, "": {"_id": 5}}"#,
    );
    let body = format!(r#"{{"to":{{"user":"c1"}},"event":"x","data":{data}}}"#);
    api.backend()
        .send("POST", "/api/realtime/emit", body.into_bytes())
        .await
        .data(202);
    let entries = api.world.log.entries_after(0).await;
    assert_eq!(entries[0].content().payload().as_str(), data);
}
