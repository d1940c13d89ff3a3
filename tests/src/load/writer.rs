//! A writer. It records each write before the first attempt, and the outcome after each attempt.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::checker::{Fact, Placed, Position, Recorder, Write};
use crate::server::rest::{Api, ApiResponse};

/// A writer that works until it is told to stop. A clone is another writer with the same stop
/// signal.
#[derive(Debug, Clone)]
pub struct Writer {
    /// The text that all of its values begin with.
    pub name: String,
    /// Its REST API, with credentials.
    pub api: Api,
    recorder: Recorder,
    until: watch::Receiver<bool>,
}

impl Writer {
    /// Creates a writer that stops when `until` is `true` or its sender is dropped.
    #[must_use]
    pub fn new(name: &str, api: Api, recorder: &Recorder, until: &watch::Receiver<bool>) -> Self {
        Self {
            name: name.to_owned(),
            api,
            recorder: recorder.clone(),
            until: until.clone(),
        }
    }

    /// Returns the same writer with other credentials.
    #[must_use]
    pub fn with(&self, api: Api) -> Self {
        Self {
            api,
            ..self.clone()
        }
    }

    /// Returns whether the writer should continue.
    #[must_use]
    pub fn should_continue(&self) -> bool {
        !*self.until.borrow() && self.until.has_changed().is_ok()
    }

    /// Returns a write whose values are for these rooms.
    #[must_use]
    pub fn write(name: &str, effects: Vec<(String, Vec<String>)>, keyed: bool) -> Write {
        let effects = effects
            .into_iter()
            .map(|(value, rooms)| (value, rooms.into_iter().collect()));
        Write {
            name: name.to_owned(),
            keyed,
            effects: effects.collect(),
        }
    }

    /// Posts with an idempotency key until the request succeeds.
    pub async fn post_keyed(&self, write: &Write, path: &str, body: &Value) -> ApiResponse {
        let api = self
            .api
            .header("idempotency-key", &write.name.replace(' ', "-"));
        self.retry(write, || api.try_send("POST", path, body)).await
    }

    /// Sends the request until it succeeds.
    pub async fn retry<F>(&self, write: &Write, ask: impl Fn() -> F) -> ApiResponse
    where
        F: Future<Output = Option<ApiResponse>>,
    {
        let mut pace = pace();
        loop {
            if let Some(answer) = self.try_once(write, ask()).await {
                return answer;
            }
            pace.tick().await;
        }
    }

    /// Reads until the request succeeds.
    pub async fn read(&self, path: &str) -> Value {
        let mut pace = pace();
        loop {
            let answer = self.api.try_send("GET", path, &json!(null)).await;
            if let Some(answer) = answer.filter(|answer| answer.status == 200) {
                return answer.json();
            }
            pace.tick().await;
        }
    }

    /// Sends the request once. Returns `None` if the outcome is unknown.
    pub async fn try_once(
        &self,
        write: &Write,
        ask: impl Future<Output = Option<ApiResponse>>,
    ) -> Option<ApiResponse> {
        self.recorder.note(Fact::Attempted(write.clone()));
        let answer = ask.await;
        let name = write.name.clone();
        let Some(answer) = answer.filter(is_known) else {
            self.recorder.note(Fact::Unknown { write: name });
            return None;
        };
        assert!(
            (200..300).contains(&answer.status),
            "{name} was refused: {answer:#?}"
        );
        let (made, placed) = made(write, &answer.json()["data"]);
        self.recorder.note(Fact::Acknowledged {
            write: name,
            made,
            placed,
        });
        Some(answer)
    }
}

/// Returns whether the response is conclusive. A server that is stopping, or that still works on
/// the first attempt, leaves the outcome open. So does one that refuses a change because the first
/// attempt has already made it: the writer reads the state afterwards.
fn is_known(answer: &ApiResponse) -> bool {
    let open = ["in_progress", "illegal_transition"]
        .iter()
        .any(|code| answer.text.contains(code));
    answer.status < 500 && !(answer.status == 409 && open)
}

/// Returns the id that the response states, and the position of its event if the response states
/// one.
fn made(write: &Write, data: &Value) -> (String, Vec<Placed>) {
    let id = |of: &Value| of["_id"].as_str().or(of["id"].as_str()).map(str::to_owned);
    let document = ["order", "notification", "payment"]
        .into_iter()
        .find_map(|kind| id(&data[kind]));
    let id = document.or_else(|| id(data)).unwrap_or_default();
    let at = data["at"].as_str().and_then(Position::parse);
    let placed = at.map(|at| Placed {
        value: write.effects[0].0.clone(),
        id: id.clone(),
        at,
    });
    (id, placed.into_iter().collect())
}

fn pace() -> Interval {
    let mut pace = interval(Duration::from_millis(20));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}
