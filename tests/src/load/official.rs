//! Official clients in the background: they come back by themselves, and what they print is
//! reported.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{Way, Who, reader, seen};
use crate::checker::{Fact, Recorder};
use crate::clients::driver::Driver;
use crate::server::Listening;

/// One driver's sockets.
#[derive(Debug)]
pub struct Official {
    driver: Driver,
    recorder: Recorder,
    names: Vec<String>,
    report: JoinHandle<()>,
}

impl Official {
    /// Starts these clients in this driver.
    pub async fn start(
        mut driver: Driver,
        whos: &[Who],
        server: &impl Listening,
        recorder: &Recorder,
    ) -> Self {
        let journal = driver.lines();
        let mut scribe = Scribe {
            recorder: recorder.clone(),
            whos: BTreeMap::new(),
            known: BTreeSet::new(),
        };
        for who in whos {
            who.grant(recorder);
            scribe.whos.insert(who.name.clone(), who.clone());
            driver.connect_with(&who.name, server, &options(who)).await;
        }
        let report = tokio::spawn(async move {
            let mut read = 0;
            loop {
                let lines = journal.follow(read).await;
                if lines.is_empty() {
                    return;
                }
                read += lines.len();
                lines.iter().for_each(|line| scribe.take(line));
            }
        });
        let names = whos.iter().map(|who| who.name.clone()).collect();
        Self {
            driver,
            recorder: recorder.clone(),
            names,
            report,
        }
    }

    /// Waits until each has got something with this in its payload.
    pub async fn get(&self, text: &str) {
        for name in &self.names {
            reader::got(&self.recorder, name, text).await;
        }
    }

    /// Ends them for good.
    pub async fn leave(self) {
        self.report.abort();
        self.driver.kill().await;
        for client in self.names {
            self.recorder.note(Fact::Left { client });
        }
    }
}

/// A line that breaks in the very moment of connecting is not always noticed by the JavaScript
/// client: with polling paused for an upgrade it waits for the heartbeat, 45 s; a WebSocket being
/// opened it gives up after its `timeout`. That is its own affair, so it begins with WebSocket and
/// waits less. The driver for Python has no such options.
fn options(who: &Who) -> Value {
    match who.way {
        // The driver adds the position.
        Way::Since => json!({"resume": who.auth(), "transports": ["websocket"], "timeout": 2_000}),
        Way::Device | Way::TokenId => {
            json!({"auth": who.auth(), "transports": ["websocket"], "timeout": 2_000})
        }
    }
}

struct Scribe {
    recorder: Recorder,
    whos: BTreeMap<String, Who>,
    /// Those whom the server has met.
    known: BTreeSet<String>,
}

impl Scribe {
    fn take(&mut self, line: &str) {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        let (client, event) = (text(&line["as"]), text(&line["event"]));
        let fact = match event.as_str() {
            "connect" => self.connected(&client),
            "disconnect" => Some(Fact::Disconnected {
                client: client.clone(),
            }),
            _ => seen::fact(&client, &event, &line["args"][0]),
        };
        if matches!(fact, Some(Fact::Ready { .. })) {
            self.known.insert(client);
        }
        if let Some(fact) = fact {
            self.recorder.note(fact);
        }
    }

    fn connected(&self, client: &str) -> Option<Fact> {
        let who = self.whos.get(client)?;
        let claims = self.known.contains(client);
        Some(Fact::Connected {
            client: client.to_owned(),
            user: who.user.to_owned(),
            claims,
        })
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
