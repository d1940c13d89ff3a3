//! The clients of the story: each receives something and leaves, in a way of its own.

use serde_json::{Value, json};

use crate::clients::driver::Driver;
use crate::clients::phone::Phone;
use crate::eventually::eventually;
use crate::fixtures::emit;
use crate::server::Server;
use crate::upgrade::{options, text};

/// A position of another log.
const FOREIGN: &str = "0123456789abcdef-00000000.1";

/// The name of the client whose process is killed.
const KILLED: &str = "killed";

/// The connected clients.
pub(super) struct Clients {
    /// The clients that leave by DISCONNECT.
    polite: Driver,
    /// The client that is killed.
    killed: Driver,
    clients: Vec<Value>,
}

impl Clients {
    /// Connects all clients. Two of them join the room of the third order.
    pub(super) async fn connect(server: &Server, orders: &[Value]) -> Self {
        let mut clients = Self {
            polite: Driver::node(),
            killed: Driver::node(),
            clients: cast(),
        };
        for client in clients.clients.clone() {
            let name = text(&client, "name");
            let driver = clients.driver_of(name);
            driver.connect_with(name, server, &options(&client)).await;
            driver.event(name, "rt:ready").await;
        }
        for name in ["tablet", "bench"] {
            let order = &orders[2]["_id"];
            let joined = clients.polite.call(name, "join_order_room", order).await;
            assert_eq!(joined["status"], "ok", "{joined}");
        }
        clients
    }

    fn driver_of(&mut self, name: &str) -> &mut Driver {
        match name {
            KILLED => &mut self.killed,
            _ => &mut self.polite,
        }
    }

    /// Sends all clients three events, and notes in the manifest what they have received.
    pub(super) async fn receive(&mut self, server: &Server) {
        for n in 1..=3 {
            emit(server, &json!("everyone"), "load", &json!({"n": n})).await;
        }
        for index in 0..self.clients.len() {
            let name = text(&self.clients[index], "name").to_owned();
            let driver = self.driver_of(&name);
            let last = driver.nth(&name, "load", 3).await;
            let received = received(driver, &name);
            let client = &mut self.clients[index];
            client["received"] = received.into();
            if name == "app" {
                client["auth"]["since"] = last["_rt"]["at"].clone();
            }
        }
    }

    /// Disconnects all clients, one of them by killing its process.
    pub(super) async fn leave(mut self, server: &Server) -> Vec<Value> {
        for client in &self.clients {
            let name = text(client, "name");
            if name != KILLED {
                self.polite.disconnect(name).await;
            }
        }
        self.killed.kill().await;
        eventually("all clients to be gone", async || {
            sessions(server).await.is_empty().then_some(())
        })
        .await;
        self.clients
    }
}

/// Returns the clients that connect during the story.
fn cast() -> Vec<Value> {
    let mut clients = vec![
        client("app", "customer", "c1", json!({})),
        client("tablet", "customer", "c1", json!({"device": "tablet-1"})),
        client("bench", "tailor", "t1", json!({"device": "bench-1"})),
        client(KILLED, "customer", "c2", json!({"device": "phone-2"})),
    ];
    let mut token = client("token", "customer", "c2", json!({}));
    token["claims"]["jti"] = "token-2".into();
    clients.push(token);
    clients
}

/// Returns clients with positions of all kinds, which connect for the first time after the story.
pub(super) fn newcomers(early: &Value, last: &Value) -> Vec<Value> {
    let foreign = json!(FOREIGN);
    let mut clients = Vec::new();
    for (name, role, user, since) in [
        ("at the end", "customer", "c1", last),
        ("before the floor", "customer", "c1", early),
        ("quiet since before the floor", "delivery", "d9", early),
        ("of another log", "customer", "c1", &foreign),
    ] {
        clients.push(client(name, role, user, json!({"since": since})));
    }
    clients
}

/// Returns the one client of the short story.
pub(super) fn app(since: &Value) -> Vec<Value> {
    vec![client("app", "customer", "c1", json!({"since": since}))]
}

fn client(name: &str, role: &str, user: &str, auth: Value) -> Value {
    json!({"name": name, "claims": {"userId": user, "role": role}, "auth": auth})
}

/// Returns names and positions of the events that a client has received.
fn received(driver: &Driver, name: &str) -> Vec<Value> {
    let events = driver.events(name).into_iter();
    let logged = events.filter(|event| event.data["_rt"]["id"].is_string());
    logged
        .map(|event| json!([event.name, event.at()]))
        .collect()
}

/// Ends a session by the log, as an admin.
pub(super) async fn end_session(server: &Server) {
    let mut phone = Phone::ready_as(server, "customer", "c3").await;
    let sessions = sessions(server).await;
    let session = sessions.iter().find(|session| session["user"] == "c3");
    let session = session.unwrap_or_else(|| panic!("no session of c3: {sessions:#?}"));
    let path = format!("/api/realtime/sessions/{}", text(session, "id"));
    server.admin().send("DELETE", &path, None).await.ok(200);
    phone.closed().await;
}

async fn sessions(server: &Server) -> Vec<Value> {
    let answer = server.admin().get("/api/realtime/sessions").await.data(200);
    answer["sessions"].as_array().expect("sessions").clone()
}
