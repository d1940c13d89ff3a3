//! Everyone who gets a session, connected at once, and what each of them receives.

use std::time::Duration;

use metaia_tests::clients::phone::{Event, Phone};
use metaia_tests::fixtures::raise_fence;
use metaia_tests::server::Server;
use serde_json::json;
use tokio::time::timeout;

use super::people::{Column, Person, Relation, everyone};

/// The longest time until an event that the server sends in its own time.
const HOUSEKEEPING_TIMEOUT: Duration = Duration::from_secs(75);

/// A person with a session.
pub(super) struct Listener {
    pub(super) person: Person,
    pub(super) phone: Phone,
    /// The events that have arrived since the last question.
    seen: Vec<Event>,
    has_ended: bool,
}

/// All people with sessions.
pub(super) struct Crowd(pub(super) Vec<Listener>);

impl Listener {
    async fn connect(server: &Server, person: Person) -> Self {
        let mut phone = Phone::connected(server, &person.auth()).await;
        let seen = phone.until("rt:ready").await;
        Self {
            person,
            phone,
            seen,
            has_ended: false,
        }
    }

    /// Waits for an event. It stays among those that have arrived.
    pub(super) async fn wait_for(&mut self, name: &str) {
        let has_come = self.seen.iter().any(|event| event.name == name);
        if !has_come {
            let events = self.phone.until(name).await;
            self.seen.extend(events);
        }
    }

    /// Reads up to an event that is sent in the server's own time.
    pub(super) async fn wait_long_for(&mut self, name: &str) {
        let waiting = async {
            while !self.seen.iter().any(|event| event.name == name) {
                let next = self.phone.next_or_end().await;
                self.seen.push(next.expect("an open connection"));
            }
        };
        // Whether it has come is judged with the row.
        let _ = timeout(HOUSEKEEPING_TIMEOUT, waiting).await;
    }

    /// Reads up to the end of the connection.
    pub(super) async fn wait_for_end(&mut self) {
        let events = self.phone.closed().await;
        self.seen.extend(events);
        self.has_ended = true;
    }

    /// Connects once more, in place of the session so far.
    pub(super) async fn reconnect(&mut self, server: &Server, since: Option<&str>) {
        let mut auth = self.person.auth();
        if let Some(since) = since {
            auth["since"] = json!(since);
        }
        self.phone = Phone::connected(server, &auth).await;
        self.seen = self.phone.until("rt:ready").await;
        self.has_ended = false;
    }
}

impl Crowd {
    pub(super) async fn connect(server: &Server) -> Self {
        let mut listeners = Vec::new();
        for person in everyone() {
            if person.column.has_sessions() {
                listeners.push(Listener::connect(server, person).await);
            }
        }
        Self(listeners)
    }

    /// Returns the listener with this relation in the role that it belongs to.
    pub(super) fn the(&mut self, column: Column, relation: Relation) -> &mut Listener {
        let mut listeners = self.0.iter_mut();
        let found = listeners.find(|it| it.person.is(column, relation));
        found.expect("a listener")
    }

    /// Lets everyone try to join an order's room.
    pub(super) async fn try_to_join(&mut self, order: &str) {
        for listener in &mut self.0 {
            listener.phone.call("join_order_room", &json!(order)).await;
        }
    }

    /// Returns who has received an event of this name since the last call.
    pub(super) async fn heard(&mut self, server: &Server, name: &str) -> Vec<(Person, bool)> {
        // Nobody is left to raise it after the server's end.
        if self.0.iter().any(|listener| !listener.has_ended) {
            raise_fence(server).await;
        }
        let mut heard = Vec::new();
        for listener in &mut self.0 {
            if !listener.has_ended {
                listener.wait_for("test:fence").await;
            }
            let has_heard = listener.seen.iter().any(|event| event.name == name);
            heard.push((listener.person, has_heard));
            listener.seen.clear();
        }
        heard
    }
}
