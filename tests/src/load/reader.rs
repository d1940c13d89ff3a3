//! A phone that reconnects by itself and records what it receives. It takes the ways to the server
//! in turn, one for each connection.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::{ReaderSpec, ResumeBy, seen};
use crate::checker::{Fact, Recorder};
use crate::clients::phone::Phone;
use crate::clients::way::{Reached, Way};
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
    /// Starts the reader. Its number says in which way it connects first, and from which address
    /// it polls, so that a balancer recognises it.
    #[must_use]
    pub fn start(
        spec: &ReaderSpec,
        number: u8,
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
            number,
            connections: 0,
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
    number: u8,
    /// The number of connections that it has opened.
    connections: usize,
}

impl<S: Listening> ReaderTask<S> {
    async fn live(mut self, mut left: watch::Receiver<bool>) {
        let mut pace = interval(Duration::from_millis(20));
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !*left.borrow() {
            pace.tick().await;
            self.connect(&mut left).await;
        }
        self.recorder.note(Fact::Left {
            client: self.spec.name.clone(),
        });
    }

    /// Opens one connection, and reads it to its end, or until the reader is to leave.
    async fn connect(&mut self, left: &mut watch::Receiver<bool>) {
        let Some(mut phone) = Phone::try_open(&self.reached()).await else {
            return;
        };
        self.connections += 1;
        let client = self.spec.name.clone();
        let claims = self.known;
        self.recorder.note(Fact::Connected {
            client: client.clone(),
            user: self.spec.user.to_owned(),
            claims,
        });
        phone.send(&format!("40{}", self.auth)).await;
        let reading = async {
            while let Some(event) = phone.next_or_end().await {
                self.take(&event.name, &event.data);
            }
        };
        let leaving = async { drop(left.wait_for(|left| *left).await) };
        let leaves = tokio::select! {
            () = reading => false,
            () = leaving => true,
        };
        if leaves {
            phone.leave().await;
        } else {
            self.recorder.note(Fact::Disconnected { client });
        }
    }

    /// Returns the server, and how to connect to it now.
    fn reached(&self) -> Reached<&S> {
        let way = Way::nth(usize::from(self.number) + self.connections);
        let reached = Reached::by(way, &self.server);
        if way == Way::WebSocket {
            return reached;
        }
        reached.from(Ipv4Addr::new(127, 0, 1, self.number))
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
