//! The client against a real Socket.IO server over TCP, and against servers that misbehave.

mod answers;
mod connect;
mod edges;
mod exchange;
mod invalid_servers;
mod large;
mod readiness;
mod reconnect;
mod server;
mod wire;

use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, ClientBuilder, Reconnect, Transport, Update, Updates};
use server::Server;

const ALL: [Transport; 3] = [Transport::WebSocket, Transport::Polling, Transport::Upgrade];

/// Longer than any step of these tests takes. A test that reaches it has failed.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Returns a builder of a client that reconnects at once.
fn client(server: &Server) -> ClientBuilder {
    let reconnect = Reconnect {
        min: Duration::from_millis(1),
        max: Duration::from_millis(5),
        max_attempts: Some(50),
    };
    Client::builder(server.url())
        .token("good")
        .reconnect(reconnect)
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(TIMEOUT, future)
        .await
        .unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// Returns the first value that `pick` returns for an update.
async fn next<T>(
    updates: &mut Updates,
    what: &str,
    mut pick: impl FnMut(Update) -> Option<T>,
) -> T {
    within(what, async {
        loop {
            let update = updates
                .recv()
                .await
                .unwrap_or_else(|| panic!("the updates ended before {what}"));
            if let Some(found) = pick(update) {
                return found;
            }
        }
    })
    .await
}

async fn event(updates: &mut Updates, name: &str) -> Value {
    next(updates, name, |update| match update {
        Update::Event(event) if event.name == name => Some(event.data),
        _ => None,
    })
    .await
}

async fn ask(client: &Client, event: &str, data: Value) -> Value {
    client.emit_with_ack(event, data, TIMEOUT).await.unwrap()
}

/// Makes the server emit an event to this client.
async fn say(client: &Client, event: &str, data: impl Into<Value>) {
    client
        .emit("say", json!({"event": event, "data": data.into()}))
        .await
        .unwrap();
}

fn stamped(n: u64) -> Value {
    json!({"n": n, "_rt": {"id": format!("e{n}"), "at": format!("p.{n}"), "ts": 1}})
}
