//! Converts what a client received into facts of the history.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::checker::{Fact, Got, Placed, Position};

/// Returns the fact that this event is for the checker, if it is one.
pub(super) fn fact(client: &str, event: &str, data: &Value) -> Option<Fact> {
    let client = client.to_owned();
    let at = Position::parse(data["_rt"]["at"].as_str()?)?;
    Some(match event {
        "rt:ready" => Fact::Ready {
            client,
            recovered: data["recovered"] == true,
            rooms: rooms(&data["rooms"]),
            at,
        },
        "rt:reset" => Fact::Reset { client, at },
        "rt:position" => Fact::PositionUpdate { client, at },
        _ => Fact::Received {
            client,
            got: got(event, data, at)?,
        },
    })
}

/// Returns the rooms of an `rt:ready`, and `everyone`, which it does not list because every client
/// is in it.
fn rooms(named: &Value) -> BTreeSet<String> {
    let named = named
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    named.chain(["everyone"]).map(str::to_owned).collect()
}

/// Builds the received event. Its value is set afterwards by `name_values`.
fn got(event: &str, data: &Value, at: Position) -> Option<Got> {
    let id = data["_rt"]["id"].as_str()?.to_owned();
    let payload = json!({"event": event, "data": data}).to_string();
    Some(Got {
        placed: Placed {
            value: String::new(),
            id,
            at,
        },
        payload,
    })
}
