//! The events that a client sends, and their answers in the words of the table.

use metaia_tests::clients::phone::{Event, Phone};
use metaia_tests::fixtures::token::token;
use metaia_tests::server::Server;
use serde_json::{Value, json};

use super::people::Person;
use super::table::Row;

/// The answer to somebody who has no session.
const NO_SESSION: &str = "–";

/// Does what a row says, about this order, and returns the answer.
pub(super) async fn answer(server: &Server, row: &Row, person: &Person, order: &str) -> String {
    let mut auth = person.auth();
    match (row.name.as_str(), row.request.as_str()) {
        ("connect", "") => match connect(server, &auth).await {
            Ok(_) => "ok".to_owned(),
            Err(code) => code,
        },
        ("connect", "auth.orders names the order") => {
            auth["orders"] = json!([order]);
            match connect(server, &auth).await {
                Ok(mut phone) => joined(&phone.until("rt:ready").await, order),
                Err(code) => code,
            }
        }
        ("rt:resume", "with auth.hold, names the order") => {
            auth["hold"] = json!(true);
            let Ok(mut phone) = connect(server, &auth).await else {
                return NO_SESSION.to_owned();
            };
            let request = json!({"orders": [order]});
            phone.start_call("rt:resume", &request).await;
            joined(&phone.until("rt:ready").await, order)
        }
        _ => {
            let Ok(mut phone) = connect(server, &auth).await else {
                return NO_SESSION.to_owned();
            };
            phone.until("rt:ready").await;
            let answer = phone.call(&row.name, &argument(row, person, order)).await;
            word(&answer)
        }
    }
}

async fn connect(server: &Server, auth: &Value) -> Result<Phone, String> {
    let mut phone = Phone::open(server).await;
    phone.connect(auth).await.map(|()| phone)
}

fn argument(row: &Row, person: &Person, order: &str) -> Value {
    let token_of = |user: &str| json!({"token": token(person.role, user)});
    match (row.name.as_str(), row.request.as_str()) {
        ("join_order_room" | "leave_order_room", "") => json!(order),
        ("rt:sync", "") | ("rt:resume", "without auth.hold") => json!({}),
        ("rt:refresh", "a token of the same user") => token_of(person.relation.user()),
        ("rt:refresh", "a token of another user") => token_of("u9"),
        (name, request) => panic!("docs/access.md: there is no event for {name} {request}"),
    }
}

/// Returns whether the session is in the order's room, by what it received up to `rt:ready`.
fn joined(events: &[Event], order: &str) -> String {
    let room = json!(format!("order-{order}"));
    let is_in = |ready: &Event| {
        ready.data["rooms"]
            .as_array()
            .is_some_and(|it| it.contains(&room))
    };
    if events.last().is_some_and(is_in) {
        return "joined".to_owned();
    }
    let refused = events.iter().find(|event| event.name == "rt:error");
    refused.map_or("nothing".to_owned(), |error| text(&error.data["code"]))
}

fn word(answer: &Value) -> String {
    match &answer["status"] {
        status if status == "ok" => "ok".to_owned(),
        _ => text(&answer["code"]),
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns all answers to attempts to join an order's room: in the ack, as `rt:error`, and at
/// connect. The order's id, which the client sent, is masked.
pub(super) async fn refused_joins(server: &Server, person: &Person, order: &str) -> String {
    let mut phone = Phone::ready_with(server, &person.auth()).await;
    let ack = phone.call("join_order_room", &json!(order)).await;
    phone.emit("join_order_room", &json!(order)).await;
    let error = phone.event("rt:error").await;
    let mut auth = person.auth();
    auth["orders"] = json!([order]);
    let mut phone = Phone::connected(server, &auth).await;
    let at_connect = phone.event("rt:error").await;
    format!("{ack} {error} {at_connect}").replace(order, "ORDER")
}
