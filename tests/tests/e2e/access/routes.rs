//! The request of each row of the routes, and its answer in the words of the table.

use metaia_tests::fixtures::razorpay::{checkout_signature, webhook_body, webhook_signature};
use metaia_tests::fixtures::{NO_ORDER, order_body, verification};
use metaia_tests::server::Server;
use metaia_tests::server::rest::ApiResponse;
use serde_json::{Value, json};

use super::people::{Person, Relation};
use super::table::Row;
use super::world::World;

/// The id of a session that does not exist.
const NO_SESSION: &str = "00000000000000000000000000000000";

/// The provider's id of an order that does not exist.
const NO_PROVIDER_ORDER: &str = "order_00000000000000";

/// A request that a row makes.
pub(super) struct Request {
    method: String,
    path: String,
    body: Option<Value>,
    headers: Vec<(&'static str, String)>,
}

/// Returns the status of the order before the request of a row.
pub(super) fn status_before(row: &Row) -> &str {
    let (before, after) = row.request.split_once(" → ").unwrap_or(("pending", ""));
    if after.is_empty() { "pending" } else { before }
}

/// Returns whether the request of a row is about one record.
pub(super) fn is_about_a_record(row: &Row) -> bool {
    row.name.contains('{') || row.name.ends_with("/verify")
}

impl Request {
    /// Returns the request of a row about the records of this world.
    pub(super) fn of(row: &Row, world: &World) -> Self {
        let (method, path) = row.name.split_once(' ').expect("a method and a path");
        let path = path
            .replace(
                "notifications/{id}",
                &format!("notifications/{}", world.notification),
            )
            .replace("sessions/{id}", &format!("sessions/{}", world.session))
            .replace("{id}", &world.order)
            .replace("{orderId}", &world.order);
        let (body, headers) = body_of(row, world);
        Self {
            method: method.to_owned(),
            path: with_query(&path),
            body,
            headers,
        }
    }

    /// Returns the same request about records that do not exist.
    pub(super) fn about_nothing(mut self, world: &World) -> Self {
        self.path = self
            .path
            .replace(&world.notification, NO_ORDER)
            .replace(&world.session, NO_SESSION)
            .replace(&world.order, NO_ORDER);
        if let Some(order) = self
            .body
            .as_mut()
            .and_then(|body| body.get_mut("razorpay_order_id"))
        {
            *order = json!(NO_PROVIDER_ORDER);
            let signature = checkout_signature(NO_PROVIDER_ORDER, PAYMENT_ID);
            self.body.as_mut().expect("a body")["razorpay_signature"] = json!(signature);
        }
        self
    }

    pub(super) async fn send(&self, server: &Server, person: &Person) -> ApiResponse {
        let mut api = person.api(server);
        for (name, value) in &self.headers {
            api = api.header(name, value);
        }
        api.send(&self.method, &self.path, self.body.as_ref()).await
    }
}

const PAYMENT_ID: &str = "pay_table";

/// Returns the path with the query that its route needs.
fn with_query(path: &str) -> String {
    match path {
        "/api/realtime/presence" => format!("{path}?user=c1"),
        _ => path.to_owned(),
    }
}

type BodyAndHeaders = (Option<Value>, Vec<(&'static str, String)>);

/// Returns the body and the headers of a request. A row without one here is a mistake in the page.
fn body_of(row: &Row, world: &World) -> BodyAndHeaders {
    let owner = Relation::Owner.user();
    let body = match (row.name.as_str(), row.request.as_str()) {
        ("POST /api/orders", "for oneself") => order_body(),
        ("POST /api/orders", "for a customer") => {
            let mut body = order_body();
            body["customer"] = owner.into();
            body
        }
        ("PUT /api/orders/{id}/status", step) => {
            let (_, to) = step.split_once(" → ").expect("a step");
            json!({"status": to})
        }
        ("PUT /api/orders/{id}/assign", "another tailor") => json!({"tailor": "t2"}),
        ("POST /api/notifications", "") => {
            json!({"user": owner, "type": "system", "title": "t", "message": "m"})
        }
        ("POST /api/payments/verify", _) => verification(&world.payment, PAYMENT_ID),
        ("POST /api/payments/webhook", signed) => return webhook(world, signed),
        ("PUT /api/tailors/me/status", "") => json!({"status": "available"}),
        ("POST /api/realtime/emit", "") => {
            json!({"to": {"user": owner}, "event": "x", "data": {}})
        }
        ("POST /api/realtime/revoke", "a token") => json!({"jti": "of-no-token"}),
        ("POST /api/payments/orders/{orderId}", "") => json!({}),
        (name, "" | "one of the owner" | "those of the owner") if has_no_body(name) => {
            return (None, Vec::new());
        }
        (name, request) => panic!("docs/access.md: there is no request for {name} {request}"),
    };
    (Some(body), Vec::new())
}

fn has_no_body(name: &str) -> bool {
    name.starts_with("GET ") || name.starts_with("DELETE ") || name.contains("/read")
}

fn webhook(world: &World, signed: &str) -> BodyAndHeaders {
    let text = webhook_body("payment.captured", PAYMENT_ID, &world.payment);
    let body: Value = serde_json::from_str(&text).expect("JSON");
    let signature = match signed {
        "signed by the provider" => webhook_signature(&body.to_string()),
        "not signed" => "0".repeat(64),
        other => panic!("docs/access.md: a webhook that is {other}"),
    };
    // Wrong signatures are limited by network.
    let number = uuid::Uuid::new_v4().as_u128().to_be_bytes();
    let network = format!("10.{}.{}.{}", number[0], number[1], number[2]);
    let headers = vec![
        ("x-razorpay-signature", signature),
        ("x-forwarded-for", network),
    ];
    (Some(body), headers)
}

/// Returns an answer in the words of the table.
pub(super) fn word(row: &Row, answer: &ApiResponse, world: &World) -> String {
    let record = match row.name.as_str() {
        "GET /api/orders" => world.order.as_str(),
        "GET /api/notifications" => &world.notification,
        "GET /api/payments" => world.payment["_id"].as_str().expect("an id"),
        _ => return answer.status.to_string(),
    };
    match answer.status {
        200 if answer.text.contains(&format!("\"_id\":\"{record}\"")) => "lists".to_owned(),
        200 => "lacks".to_owned(),
        other => other.to_string(),
    }
}

/// Returns everything of an answer but the id and the time of the request.
pub(super) fn bytes(answer: &ApiResponse) -> (u16, Vec<(String, String)>, String) {
    let of_request = ["date", "x-request-id"];
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| !of_request.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), format!("{value:?}")))
        .collect();
    headers.sort();
    let id = answer.header("x-request-id");
    (answer.status, headers, answer.text.replace(id, "ID"))
}
