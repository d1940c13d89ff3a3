//! A phone that reconnects as soon as it can, and counts what it received.

use std::collections::HashSet;
use std::time::Duration;

use metaia_tests::clients::phone::{Event, Phone};
use metaia_tests::fixtures::token::token;
use metaia_tests::server::ports::Port;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::publisher::TICK;

/// The name of the last event of a round.
pub(super) const END_EVENT: &str = "bench:end";
/// The pause between two attempts to connect.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// The way in which a client tells the server where it was.
#[derive(Debug, Clone, Copy)]
pub(super) enum ResumeBy {
    /// By the position of the last event that it received.
    Since,
    /// By nothing: the server recognises its device.
    Device,
}

/// The moment at which a client is live.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) at: Instant,
    pub(super) recovered: bool,
}

/// The events that a client received in a round.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) seen: HashSet<u64>,
    pub(super) twice: u64,
}

/// One client.
#[derive(Debug)]
pub(super) struct Client {
    resume_by: ResumeBy,
    auth: Value,
    arrivals: mpsc::Sender<Arrival>,
    tally: Tally,
}

impl Client {
    pub(super) fn new(resume_by: ResumeBy, number: usize, arrivals: mpsc::Sender<Arrival>) -> Self {
        let mut auth = json!({"token": token("customer", &format!("customer-{number}"))});
        if matches!(resume_by, ResumeBy::Device) {
            auth["device"] = json!(format!("device-{number}"));
        }
        Self {
            resume_by,
            auth,
            arrivals,
            tally: Tally::default(),
        }
    }

    /// Runs until the last event.
    pub(super) async fn live(mut self, server: Port) -> Tally {
        let mut pace = interval(RETRY_PAUSE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            pace.tick().await;
            if self.connect(&server).await {
                return self.tally;
            }
        }
    }

    /// Opens one connection and reads it to its end. Returns true if the end was the last event.
    async fn connect(&mut self, server: &Port) -> bool {
        let Some(mut phone) = Phone::try_open(server).await else {
            return false;
        };
        phone.send(&format!("40{}", self.auth)).await;
        while let Some(event) = phone.next_or_end().await {
            if event.name == END_EVENT {
                return true;
            }
            self.take(&event).await;
        }
        false
    }

    async fn take(&mut self, event: &Event) {
        if matches!(self.resume_by, ResumeBy::Since) && !event.at().is_empty() {
            self.auth["since"] = json!(event.at());
        }
        if event.name == "rt:ready" {
            let arrival = Arrival {
                at: Instant::now(),
                recovered: event.data["recovered"] == true,
            };
            self.arrivals
                .send(arrival)
                .await
                .expect("the bench receives arrivals");
        } else if event.name == TICK {
            let n = event.data["n"].as_u64().expect("a number");
            self.tally.twice += u64::from(!self.tally.seen.insert(n));
        }
    }
}
