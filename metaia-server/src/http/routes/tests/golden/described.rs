//! Each body in `bodies/` has the shape that the OpenAPI description gives to its route and status,
//! and the description has nothing that no body shows.

use super::{
    schema::{Description, escape},
    transcript::BODIES,
    *,
};

/// A reply in one of the files.
pub(super) struct Exchange {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) status: String,
    content_type: String,
    body: Value,
}

/// Returns the replies of requests to the routes in all files.
fn exchanges() -> Vec<Exchange> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(BODIES).unwrap() {
        let path = file.unwrap().path();
        // Beside a file may be another one that waits for review.
        if path.extension().is_none_or(|kind| kind != "snap") {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        found.extend(text.split("\n## ").skip(1).filter_map(exchange));
    }
    found
}

/// Parses one exchange. `None`: it is not the reply to a request.
fn exchange(text: &str) -> Option<Exchange> {
    let (head, body) = text.split_once("\n\n").unwrap();
    let mut lines = head.lines().skip(1);
    let (method, uri) = lines.next()?.split_once(' ')?;
    let status = lines.next()?.to_owned();
    let content_type = lines.find_map(|line| line.strip_prefix("content-type: "))?;
    if method == "-" {
        return None;
    }
    Some(Exchange {
        method: method.to_lowercase(),
        path: uri.split('?').next()?.to_owned(),
        status,
        content_type: content_type.to_owned(),
        body: serde_json::from_str(body.trim()).unwrap(),
    })
}

/// Statuses whose causes cannot be provoked by one request after the other to one node. Their
/// bodies are in `service_errors`.
const NOT_PROVOKED: [&str; 7] = [
    "~1api~1notifications~1{id}~1read/put/responses/409",
    "~1api~1notifications~1read-all/put/responses/409",
    "~1api~1tailors~1me~1status/put/responses/409",
    "~1api~1realtime~1sessions/get/responses/503",
    "~1api~1realtime~1sessions~1{id}/delete/responses/503",
    "~1api~1realtime~1rooms/get/responses/503",
    "~1api~1realtime~1presence/get/responses/503",
];

#[test]
fn each_body_has_the_described_shape_and_nothing_else_is_described() {
    let mut description = Description::new();
    let mut faults = Vec::new();
    for exchange in exchanges() {
        // Requests without a route.
        let Some(reply) = description.reply_to(&exchange) else {
            continue;
        };
        let kind = escape(&exchange.content_type);
        let schema = format!("{reply}/content/{kind}/schema");
        if let Err(fault) = description.check(&schema, &exchange.body) {
            faults.push(format!("{} {}: {fault}", exchange.method, exchange.path));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    let described = description.described();
    let never_sent: Vec<_> = described
        .difference(&description.shown)
        .filter(|pointer| !NOT_PROVOKED.iter().any(|known| pointer.contains(known)))
        .collect();
    assert!(never_sent.is_empty(), "{never_sent:#?}");
}

/// The test above would find each of these.
#[test]
fn a_body_of_another_shape_is_found() {
    let placed = exchanges()
        .into_iter()
        .find(|exchange| exchange.path == "/api/orders" && exchange.status == "201")
        .unwrap();
    let schema = "/paths/~1api~1orders/post/responses/201/content/application~1json/schema";
    let check = |body: &Value| Description::new().check(schema, body);
    assert_eq!(check(&placed.body), Ok(()));
    let order = || "/data/order".to_owned();
    for (parent, member, value) in [
        (order(), "surprise", json!(1)),
        (order(), "amount", json!("1")),
        (order(), "status", json!("lost")),
        (order(), "items", json!([{}])),
        (order(), "_id", Value::Null),
        ("/data".to_owned(), "order", Value::Null),
    ] {
        let mut body = placed.body.clone();
        body.pointer_mut(&parent).unwrap()[member] = value;
        assert!(check(&body).is_err(), "{member}");
    }
}

#[test]
fn what_an_idempotency_key_may_answer_is_described() {
    let document = serde_json::to_value(crate::http::openapi::description()).unwrap();
    let code_at = |path: &str, status: &str, code: &str| {
        let reply = &document["paths"][path]["put"]["responses"][status];
        let description = reply["description"].as_str().unwrap_or_default();
        assert!(description.contains(code), "{path} {status}: {description}");
    };
    for path in [
        "/api/orders/{id}/status",
        "/api/orders/{id}/assign",
        "/api/notifications/{id}/read",
        "/api/notifications/read-all",
        "/api/tailors/me/status",
    ] {
        code_at(path, "409", "idempotency_in_progress");
        // Requests to mark all notifications do not differ.
        if path != "/api/notifications/read-all" {
            code_at(path, "422", "idempotency_key_reused");
        }
    }
}
