//! Official clients in the background. They reconnect by themselves, and their output is recorded.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{ReaderSpec, ResumeBy, reader, seen};
use crate::checker::{Fact, Recorder};
use crate::clients::driver::Driver;
use crate::server::Listening;

/// The sockets of one driver.
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
        specs: &[ReaderSpec],
        server: &impl Listening,
        recorder: &Recorder,
    ) -> Self {
        let journal = driver.lines();
        let mut output = OutputRecorder {
            recorder: recorder.clone(),
            specs: BTreeMap::new(),
            known: BTreeSet::new(),
        };
        for spec in specs {
            spec.grant(recorder);
            output.specs.insert(spec.name.clone(), spec.clone());
            driver
                .connect_with(&spec.name, server, &options(spec))
                .await;
        }
        let report = tokio::spawn(async move {
            let mut read = 0;
            loop {
                let lines = journal.wait_for_more(read).await;
                if lines.is_empty() {
                    return;
                }
                read += lines.len();
                for line in &lines {
                    output.take(line);
                }
            }
        });
        let names = specs.iter().map(|spec| spec.name.clone()).collect();
        Self {
            driver,
            recorder: recorder.clone(),
            names,
            report,
        }
    }

    /// Waits until each client has received an event with `text` in its payload.
    pub async fn wait_for(&self, text: &str) {
        for name in &self.names {
            reader::wait_until_received(&self.recorder, name, text).await;
        }
    }

    /// Ends the clients on purpose.
    pub async fn leave(self) {
        self.report.abort();
        self.driver.kill().await;
        for client in self.names {
            self.recorder.note(Fact::Left { client });
        }
    }
}

/// Returns the options of the client library.
///
/// The JavaScript client does not always notice a connection that breaks while it connects. With
/// polling paused for an upgrade it waits for the heartbeat, 45 s. It gives up a WebSocket that is
/// being opened after its `timeout`. That is a property of the client library, so the tests start
/// with WebSocket and a shorter `timeout`. The driver for Python has no such options.
fn options(spec: &ReaderSpec) -> Value {
    match spec.resume_by {
        // The driver adds the position.
        ResumeBy::Since => {
            json!({"resume": spec.auth(), "transports": ["websocket"], "timeout": 2_000})
        }
        ResumeBy::Device | ResumeBy::TokenId => {
            json!({"auth": spec.auth(), "transports": ["websocket"], "timeout": 2_000})
        }
    }
}

struct OutputRecorder {
    recorder: Recorder,
    specs: BTreeMap<String, ReaderSpec>,
    /// The clients that have received `rt:ready` at least once.
    known: BTreeSet<String>,
}

impl OutputRecorder {
    fn take(&mut self, line: &str) {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        let client = text(&line["as"]);
        let event = text(&line["event"]);
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
        let spec = self.specs.get(client)?;
        let claims = self.known.contains(client);
        Some(Fact::Connected {
            client: client.to_owned(),
            user: spec.user.to_owned(),
            claims,
        })
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
