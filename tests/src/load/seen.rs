//! From what a client got to what the history says.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::checker::{Fact, Got, Place, Placed};

/// The fact that an event is to the checker, if it is one.
pub(super) fn fact(client: &str, event: &str, data: &Value) -> Option<Fact> {
    let client = client.to_owned();
    let at = Place::parse(data["_rt"]["at"].as_str()?)?;
    Some(match event {
        "rt:ready" => Fact::Ready {
            client,
            recovered: data["recovered"] == true,
            rooms: rooms(&data["rooms"]),
            at,
        },
        "rt:reset" => Fact::Reset { client, at },
        "rt:position" => Fact::Told { client, at },
        _ => Fact::Received {
            client,
            got: got(event, data, at)?,
        },
    })
}

/// The rooms of an `rt:ready`, and the one that it does not name because everybody is in it.
fn rooms(named: &Value) -> BTreeSet<String> {
    let named = named
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    named.chain(["everyone"]).map(str::to_owned).collect()
}

/// Its value is known when all is over, see `name_values`.
fn got(event: &str, data: &Value, at: Place) -> Option<Got> {
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
