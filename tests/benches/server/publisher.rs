//! Publishes events at fixed times, whatever happens to earlier ones. An event that has to wait is
//! measured from the time when it was due.

use std::time::Duration;

use metaia_tests::server::rest::Api;
use metaia_tests::server::{API_KEY, Server};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, interval, sleep_until};

/// The event's name. Its payload has the number `n`.
pub(crate) const TICK: &str = "bench:tick";
/// The pause before an unanswered request is repeated.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// The times at which the events are due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    begin: Instant,
    every: Duration,
}

impl Schedule {
    /// Creates a schedule that begins now.
    pub(crate) fn every(every: Duration) -> Self {
        Self {
            begin: Instant::now(),
            every,
        }
    }

    /// Returns the time at which the event of this number is due.
    pub(crate) fn due(&self, n: u64) -> Instant {
        self.begin + self.every.mul_f64(n as f64)
    }
}

/// A publisher in the background.
#[derive(Debug)]
pub(crate) struct Publisher {
    schedule: Schedule,
    stop: watch::Sender<bool>,
    task: JoinHandle<u64>,
}

impl Publisher {
    /// Starts now with number 0 and sends to everyone. The payload has about this many bytes.
    pub(crate) fn start(server: &Server, every: Duration, bytes: usize) -> Self {
        Self::start_to(|_| json!("everyone"), server, every, bytes)
    }

    /// Starts now with number 0. `to` chooses the target by the event's number.
    pub(crate) fn start_to(
        to: fn(u64) -> Value,
        server: &Server,
        every: Duration,
        bytes: usize,
    ) -> Self {
        let schedule = Schedule::every(every);
        let (stop, stopped) = watch::channel(false);
        let backend = server.anonymous().header("x-api-key", API_KEY);
        let task = tokio::spawn(publish(to, backend, schedule, "x".repeat(bytes), stopped));
        Self {
            schedule,
            stop,
            task,
        }
    }

    /// Returns the times at which the events are due.
    pub(crate) const fn schedule(&self) -> Schedule {
        self.schedule
    }

    /// Stops the publisher and returns the number of events. All of them are acknowledged.
    pub(crate) async fn stop(self) -> u64 {
        self.stop.send_replace(true);
        self.task.await.expect("every event is acknowledged")
    }
}

async fn publish(
    to: fn(u64) -> Value,
    backend: Api,
    schedule: Schedule,
    text: String,
    mut stopped: watch::Receiver<bool>,
) -> u64 {
    let mut posts = JoinSet::new();
    for n in 0.. {
        tokio::select! {
            () = sleep_until(schedule.due(n)) => (),
            _ = stopped.wait_for(|stopped| *stopped) => break,
        }
        let data = json!({"n": n, "text": text});
        let key = uuid::Uuid::new_v4().to_string();
        posts.spawn(post(
            backend.header("idempotency-key", &key),
            to(n),
            TICK,
            data,
        ));
    }
    posts.join_all().await.len() as u64
}

/// Sends an event until it is acknowledged. With an idempotency key on the API the event is
/// published once.
pub(crate) async fn post(backend: Api, to: Value, event: &'static str, data: Value) {
    let body = json!({"to": to, "event": event, "data": data});
    let mut pace = interval(RETRY_PAUSE);
    loop {
        pace.tick().await;
        let answer = backend.try_post("/api/realtime/emit", &body).await;
        if answer.is_some_and(|answer| answer.status == 202) {
            return;
        }
    }
}
