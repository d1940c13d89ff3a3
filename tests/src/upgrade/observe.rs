//! The answers of a server to the requests of a manifest, and the events for its clients.

use serde_json::{Value, json};

use super::{list, text};
use crate::clients::driver::Driver;
use crate::clients::phone::Event;
use crate::fixtures::token::{Token, in_seconds};
use crate::server::Server;

/// Asks the server what the manifest asks, and returns the manifest with the answers of this
/// server: sends its `requests`, which change nothing, and connects the official JavaScript client
/// as each of its `clients`.
pub async fn observe(server: &Server, driver: &mut Driver, manifest: &Value) -> Value {
    let mut found = manifest.clone();
    for request in list(&mut found, "requests") {
        answer(server, request).await;
    }
    for client in list(&mut found, "clients") {
        resume(server, driver, client).await;
    }
    found
}

/// Sends the `changes` of the manifest, and returns the manifest with the answers of this server.
pub async fn change(server: &Server, manifest: &Value) -> Value {
    let mut found = manifest.clone();
    for request in list(&mut found, "changes") {
        answer(server, request).await;
    }
    found
}

/// Sends a request and puts the response into it.
pub(super) async fn answer(server: &Server, request: &mut Value) {
    let mut api = match text(request, "as").split_once(' ') {
        Some((role, user)) => server.api(role, user),
        None => server.anonymous(),
    };
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        api = api.header(name, value.as_str().expect("a header is text"));
    }
    let body = request.get("body");
    let response = api
        .send(text(request, "method"), text(request, "path"), body)
        .await;
    request["status"] = response.status.into();
    request["answer"] = response.json();
    // Only failures have it, and it is another one each time.
    request["answer"]
        .as_object_mut()
        .map(|answer| answer.remove("requestId"));
    for header in ["etag", "idempotency-replayed"] {
        request[header] = response.header(header).into();
    }
}

/// Connects a client that was there before, and puts all that it receives until it is live into it.
async fn resume(server: &Server, driver: &mut Driver, client: &mut Value) {
    let name = text(client, "name").to_owned();
    let opts = options(client);
    driver.connect_with(&name, server, &opts).await;
    driver.event(&name, "rt:ready").await;
    let events = driver.events(&name).into_iter();
    let events = events.filter(|event| !["connect", "rt:position"].contains(&&*event.name));
    client["events"] = until_ready(events).into();
}

/// Returns the options of the official client that connect this client.
pub(super) fn options(client: &Value) -> Value {
    let mut claims = client["claims"].clone();
    claims["exp"] = in_seconds(3_600).into();
    let mut auth = client["auth"].clone();
    auth["token"] = Token::with_claims(&claims).sign().into();
    json!({"auth": auth, "transports": ["websocket"]})
}

fn until_ready(events: impl Iterator<Item = Event>) -> Vec<Value> {
    let mut seen = Vec::new();
    for mut event in events {
        let is_ready = event.name == "rt:ready";
        if is_ready {
            // It depends on the time of the test.
            event
                .data
                .as_object_mut()
                .map(|data| data.remove("expiresAt"));
        }
        seen.push(json!([event.name, event.data]));
        if is_ready {
            break;
        }
    }
    seen
}

/// Checks that everything that the manifest expects was found. A later version may add members to
/// objects; lists must be the same.
#[track_caller]
pub fn assert_contains(found: &Value, expected: &Value) {
    if let Some(what) = difference(found, expected, "manifest") {
        panic!("{what}");
    }
}

fn difference(found: &Value, expected: &Value, path: &str) -> Option<String> {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            let missing = Value::Null;
            expected.iter().find_map(|(name, expected)| {
                let found = found.get(name).unwrap_or(&missing);
                difference(found, expected, &format!("{path}.{name}"))
            })
        }
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
            let pairs = found.iter().zip(expected).enumerate();
            pairs.into_iter().find_map(|(index, (found, expected))| {
                difference(found, expected, &format!("{path}[{index}]"))
            })
        }
        _ if found == expected => None,
        _ => Some(format!("{path}: expected {expected:#}, found {found:#}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_member_is_no_difference_and_everything_else_is() {
        let expected = json!({"a": [{"b": 1}, null]});
        assert_contains(&json!({"a": [{"b": 1, "c": 2}, null], "d": 3}), &expected);
        for found in [
            json!({}),
            json!({"a": [{"b": 2}, null]}),
            json!({"a": [{"b": 1}]}),
            json!({"a": [{"b": 1}, null, 3]}),
            json!({"a": {"b": 1}}),
        ] {
            assert!(difference(&found, &expected, "").is_some(), "{found}");
        }
    }
}
