//! A phone that reconnects by itself and records what it receives.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::{ReaderSpec, ResumeBy, seen};
use crate::checker::{Fact, Recorder};
use crate::clients::phone::Phone;
use crate::eventually::within;
use crate::server::Listening;

/// A phone in the background that connects whenever the server accepts it.
#[derive(Debug)]
pub struct Reader {
    name: String,
    leave: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Reader {
    /// Starts the reader.
    #[must_use]
    pub fn start(
        spec: &ReaderSpec,
        server: impl Listening + Send + Sync + 'static,
        recorder: &Recorder,
    ) -> Self {
        spec.grant(recorder);
        let (leave, left) = watch::channel(false);
        let task = ReaderTask {
            spec: spec.clone(),
            auth: spec.auth(),
            known: false,
            recorder: recorder.clone(),
            server,
        };
        Self {
            name: spec.name.clone(),
            leave,
            task: tokio::spawn(task.live(left)),
        }
    }

    /// Waits until the reader has received an event with `text` in its payload.
    pub async fn wait_for(&self, recorder: &Recorder, text: &str) {
        wait_until_received(recorder, &self.name, text).await;
    }

    /// Ends the reader on purpose.
    pub async fn leave(self) {
        self.leave.send_replace(true);
        within(&format!("{} to leave", self.name), self.task)
            .await
            .expect("the reader did not panic");
    }
}

/// Waits until a client has received an event with `text` in its payload.
pub(super) async fn wait_until_received(recorder: &Recorder, name: &str, text: &str) {
    let fits = |fact: &Fact| match fact {
        Fact::Received { client, got } => client == name && got.payload.contains(text),
        _ => false,
    };
    recorder
        .wait_until(&format!("{name} to get {text}"), fits)
        .await;
}

struct ReaderTask<S> {
    spec: ReaderSpec,
    auth: Value,
    /// True after the first `rt:ready`.
    known: bool,
    recorder: Recorder,
    server: S,
}

impl<S: Listening> ReaderTask<S> {
    async fn live(mut self, mut left: watch::Receiver<bool>) {
        let mut pace = interval(Duration::from_millis(20));
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let living = async {
            loop {
                pace.tick().await;
                self.connect().await;
            }
        };
        tokio::select! {
            () = living => (),
            _ = left.wait_for(|left| *left) => (),
        }
        self.recorder.note(Fact::Left {
            client: self.spec.name.clone(),
        });
    }

    /// Opens one connection and reads it to its end.
    async fn connect(&mut self) {
        let Some(mut phone) = Phone::try_open(&self.server).await else {
            return;
        };
        let client = self.spec.name.clone();
        let claims = self.known;
        self.recorder.note(Fact::Connected {
            client: client.clone(),
            user: self.spec.user.to_owned(),
            claims,
        });
        phone.send(&format!("40{}", self.auth)).await;
        while let Some(event) = phone.next_or_end().await {
            self.take(&event.name, &event.data);
        }
        self.recorder.note(Fact::Disconnected { client });
    }

    fn take(&mut self, event: &str, data: &Value) {
        let fact = seen::fact(&self.spec.name, event, data);
        self.known |= matches!(fact, Some(Fact::Ready { .. }));
        if self.spec.resume_by == ResumeBy::Since && fact.is_some() {
            self.auth["since"] = json!(data["_rt"]["at"]);
        }
        if let Some(fact) = fact {
            self.recorder.note(fact);
        }
    }
}
