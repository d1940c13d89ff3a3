//! The features that all routes share: the shape of responses and refusals, request ids,
//! idempotency, pages, and the API description.

use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::{NO_ORDER, all_until_now, id_of, names, order_body, place_order};
use metaia_tests::server::Server;
use serde_json::{Value, json};

#[tokio::test]
async fn a_refusal_is_a_problem_document() {
    let server = Server::start().await;
    let answer = server
        .api("customer", "c1")
        .get(&format!("/api/orders/{NO_ORDER}"))
        .await;
    answer.refused_as(404, "not_found");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problem_documents_too() {
    let server = Server::start().await;
    server.admin().get("/api/nothing").await.refused(404);
    server.anonymous().get("/nothing").await.refused(404);
    server
        .admin()
        .send("DELETE", "/api/orders", None)
        .await
        .refused(405);
}

#[tokio::test]
async fn a_request_id_is_generated_or_kept() {
    let server = Server::start().await;
    let made = server.admin().get("/api/orders").await;
    assert!(!made.header("x-request-id").is_empty(), "{made:#?}");
    let kept = server
        .admin()
        .header("x-request-id", "from-the-caller-1")
        .get("/api/orders/x")
        .await;
    assert_eq!(kept.header("x-request-id"), "from-the-caller-1");
    assert_eq!(kept.json()["requestId"], "from-the-caller-1");
}

#[tokio::test]
async fn the_same_key_and_body_return_the_first_response() {
    let server = Server::start().await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    let customer = server
        .api("customer", "c1")
        .header("idempotency-key", "order-1");
    let first = customer.post("/api/orders", &order_body()).await;
    let second = customer.post("/api/orders", &order_body()).await;
    assert_eq!(first.data(201), second.data(201));
    let received = all_until_now(&server, &mut phone).await;
    assert_eq!(
        received.len(),
        2,
        "one order, announced once: {:?}",
        names(&received)
    );
    let orders = server
        .api("customer", "c1")
        .get("/api/orders")
        .await
        .data(200);
    assert_eq!(orders["orders"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_same_key_with_another_body_is_refused() {
    let server = Server::start().await;
    let customer = server
        .api("customer", "c1")
        .header("idempotency-key", "order-1");
    customer.post("/api/orders", &order_body()).await.ok(201);
    let mut other = order_body();
    other["deliveryAddress"] = "elsewhere".into();
    customer.post("/api/orders", &other).await.refused(422);
}

#[tokio::test]
async fn keys_of_other_users_and_routes_are_other_keys() {
    let server = Server::start().await;
    let mine = server.api("customer", "c1").header("idempotency-key", "k");
    let first = mine.post("/api/orders", &order_body()).await.data(201);
    let theirs = server.api("customer", "c2").header("idempotency-key", "k");
    let other = theirs.post("/api/orders", &order_body()).await.data(201);
    assert_ne!(first["order"]["_id"], other["order"]["_id"]);
    let payment = mine
        .post(
            &format!("/api/payments/orders/{}", id_of(&first["order"])),
            &json!({}),
        )
        .await;
    payment.ok(201);
}

#[tokio::test]
async fn two_at_once_with_one_key_make_one_order() {
    let server = Server::start().await;
    let customer = server
        .api("customer", "c1")
        .header("idempotency-key", "twin");
    let body = order_body();
    let answers = tokio::join!(
        customer.post("/api/orders", &body),
        customer.post("/api/orders", &body),
        customer.post("/api/orders", &body),
    );
    for answer in [&answers.0, &answers.1, &answers.2] {
        assert!([201, 409].contains(&answer.status), "{answer:#?}");
    }
    let orders = server
        .api("customer", "c1")
        .get("/api/orders")
        .await
        .data(200);
    assert_eq!(orders["orders"].as_array().unwrap().len(), 1);
}

async fn pages(server: &Server, path: &str, list: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server
            .api("customer", "c1")
            .get(&format!("{path}?limit=2{cursor}"))
            .await
            .data(200);
        let on_page = page[list].as_array().unwrap();
        assert!(on_page.len() <= 2, "{page}");
        items.extend(on_page.iter().map(|item| item["_id"].clone()));
        let Some(next) = page["nextCursor"].as_str() else {
            return items;
        };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn pages_hold_everything_once() {
    let server = Server::start().await;
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(place_order(&server, "c1").await["_id"].clone());
    }
    let mut listed = pages(&server, "/api/orders", "orders").await;
    listed.reverse();
    assert_eq!(listed, placed, "newest first");
    assert_eq!(
        pages(&server, "/api/notifications", "notifications")
            .await
            .len(),
        5
    );
}

#[tokio::test]
async fn a_bad_page_is_refused() {
    let server = Server::start().await;
    for query in [
        "limit=0",
        "limit=-1",
        "limit=many",
        "limit=100000",
        "cursor=%20",
        "cursor=banana",
        "page=2",
    ] {
        let answer = server
            .api("customer", "c1")
            .get(&format!("/api/orders?{query}"))
            .await;
        assert_eq!(answer.status, 422, "{query}: {answer:#?}");
        answer.refused(422);
    }
}

#[tokio::test]
async fn a_repeated_put_gets_its_first_answer() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let path = format!("/api/orders/{}/status", id_of(&order));
    let keyed = server
        .admin()
        .header("idempotency-key", "k-1")
        .header("if-match", "\"1\"");
    let confirmed = json!({"status": "confirmed"});
    let first = keyed.put(&path, &confirmed).await;
    first.ok(200);
    let progress = json!({"status": "in_progress"});
    server.admin().put(&path, &progress).await.ok(200);
    let again = keyed.put(&path, &confirmed).await;
    assert_eq!(again.header("idempotency-replayed"), "true", "{again:#?}");
    assert_eq!(again.header("etag"), first.header("etag"));
    assert_eq!(again.text, first.text);
    let other = keyed.put(&path, &progress).await;
    other.refused_as(422, "idempotency_key_reused");
}

#[tokio::test]
async fn the_same_request_may_be_written_in_several_forms() {
    let server = Server::start().await;
    let customer = server.api("customer", "c1");
    let body = r#"{"items":[{"garment":"shirt","quantity":2.0,"price":4.99e4}]}"#;
    let placed = customer.post_bytes("/api/orders/", body).await;
    let order = placed.data(201)["order"].take();
    assert_eq!(order["amount"].to_string(), "99800");
    let list = "/api/orders/?_=1764444444444&status=&cursor=null&limit=1.0";
    assert_eq!(customer.get(list).await.data(200)["orders"][0], order);
    customer.get("/api/orders?sort=a").await.refused(422);
    let path = format!("/api/orders/{}/status/", id_of(&order));
    let confirmed = json!({"status": "confirmed"});
    let seen = |tags| server.admin().header("if-match", tags);
    seen("\"2\", W/\"3\"")
        .put(&path, &confirmed)
        .await
        .refused(412);
    seen("\"2\", W/\"1\"").put(&path, &confirmed).await.ok(200);
}

/// Every route that clients may use.
const ROUTES: [&str; 22] = [
    "delete /api/realtime/sessions/{id}",
    "get /api/notifications",
    "get /api/orders",
    "get /api/orders/{id}",
    "get /api/payments",
    "get /api/realtime/presence",
    "get /api/realtime/refusals",
    "get /api/realtime/rooms",
    "get /api/realtime/sessions",
    "get /api/realtime/stats",
    "post /api/notifications",
    "post /api/orders",
    "post /api/payments/orders/{orderId}",
    "post /api/payments/verify",
    "post /api/payments/webhook",
    "post /api/realtime/emit",
    "post /api/realtime/revoke",
    "put /api/notifications/read-all",
    "put /api/notifications/{id}/read",
    "put /api/orders/{id}/assign",
    "put /api/orders/{id}/status",
    "put /api/tailors/me/status",
];

#[tokio::test]
async fn a_client_that_has_the_description_does_not_get_it_again() {
    let server = Server::start().await;
    let first = server.anonymous().get("/openapi.json").await;
    first.ok(200);
    assert_eq!(first.header("cache-control"), "public, max-age=300");
    let tag = first.header("etag").to_owned();
    let again = server.anonymous().header("if-none-match", &tag);
    let again = again.get("/openapi.json").await;
    assert_eq!((again.status, again.text.as_str()), (304, ""), "{again:#?}");
    assert_eq!(again.header("etag"), tag);
    let other = server.anonymous().header("if-none-match", "\"other\"");
    assert_eq!(other.get("/openapi.json").await.text, first.text);
}

#[tokio::test]
async fn the_description_lists_every_route() {
    let server = Server::start().await;
    let answer = server.anonymous().get("/openapi.json").await;
    answer.ok(200);
    let description = answer.json();
    let mut described = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, route) in methods.as_object().unwrap() {
            let responses = route["responses"].as_object().unwrap();
            assert!(!responses.is_empty(), "{method} {path}");
            described.push(format!("{method} {path}"));
        }
    }
    described.sort();
    assert_eq!(described, ROUTES);
}
