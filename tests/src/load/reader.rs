//! A phone that reconnects by itself and records what it receives.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::{Way, Who, seen};
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
        who: &Who,
        server: impl Listening + Send + Sync + 'static,
        recorder: &Recorder,
    ) -> Self {
        who.grant(recorder);
        let (leave, left) = watch::channel(false);
        let life = Life {
            who: who.clone(),
            auth: who.auth(),
            known: false,
            recorder: recorder.clone(),
            server,
        };
        Self {
            name: who.name.clone(),
            leave,
            task: tokio::spawn(life.live(left)),
        }
    }

    /// Waits until the reader has received an event with `text` in its payload.
    pub async fn gets(&self, recorder: &Recorder, text: &str) {
        got(recorder, &self.name, text).await;
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
pub(super) async fn got(recorder: &Recorder, name: &str, text: &str) {
    let fits = |fact: &Fact| match fact {
        Fact::Received { client, got } => client == name && got.payload.contains(text),
        _ => false,
    };
    recorder.until(&format!("{name} to get {text}"), fits).await;
}

struct Life<S> {
    who: Who,
    auth: Value,
    /// True after the first `rt:ready`.
    known: bool,
    recorder: Recorder,
    server: S,
}

impl<S: Listening> Life<S> {
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
            client: self.who.name.clone(),
        });
    }

    /// Opens one connection and reads it to its end.
    async fn connect(&mut self) {
        let Some(mut phone) = Phone::try_open(&self.server).await else {
            return;
        };
        let client = self.who.name.clone();
        let claims = self.known;
        self.recorder.note(Fact::Connected {
            client: client.clone(),
            user: self.who.user.to_owned(),
            claims,
        });
        phone.send(&format!("40{}", self.auth)).await;
        while let Some(event) = phone.next_or_end().await {
            self.take(&event.name, &event.data);
        }
        self.recorder.note(Fact::Disconnected { client });
    }

    fn take(&mut self, event: &str, data: &Value) {
        let fact = seen::fact(&self.who.name, event, data);
        self.known |= matches!(fact, Some(Fact::Ready { .. }));
        if self.who.way == Way::Since && fact.is_some() {
            self.auth["since"] = json!(data["_rt"]["at"]);
        }
        if let Some(fact) = fact {
            self.recorder.note(fact);
        }
    }
}
