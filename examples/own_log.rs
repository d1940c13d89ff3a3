//! A log of your own: a list behind a lock, put to the contract that every log keeps.
//!
//! `POST /api/news` with `{"text": "..."}` sends `news` to everyone, by way of that log.
//!
//! `cargo test -p metaia-examples --example own_log` runs the contract: a test for each clause.
#![allow(clippy::print_stdout, reason = "an example talks to its terminal")]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use metaia_realtime::{
    EventLog, JwtAuthenticator, NewEntry, Position, Realtime, Room,
    log::{Entry, Head, History, LogError, Page, Retention},
    values::Epoch,
};
use serde_json::{Value, json};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// A log that ends with the process: each has an epoch of its own.
struct ListLog {
    retention: Retention,
    list: Mutex<List>,
    head: watch::Sender<u64>,
}

struct List {
    last: Position,
    /// Without holes, up to `last`.
    entries: Vec<Arc<Entry>>,
    /// The last entry of each room that is gone.
    trimmed: HashMap<Room, u64>,
}

impl ListLog {
    fn new(retention: Retention) -> Self {
        let last = Position::start(Epoch::random());
        let list = List {
            last,
            entries: Vec::new(),
            trimmed: HashMap::new(),
        };
        Self {
            retention,
            list: Mutex::new(list),
            head: watch::Sender::new(0),
        }
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventLog for ListLog {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<Position>, LogError> {
        // One lock for all of it: nobody sees a part of an append, and what is told never goes
        // back.
        let mut list = self.list();
        let positions = entries.into_iter().map(|new| list.push(new)).collect();
        list.trim(self.retention);
        self.head.send_replace(list.last.n());
        Ok(positions)
    }

    async fn head(&self) -> Result<Head, LogError> {
        let list = self.list();
        Ok(Head {
            position: list.last,
            floor: list.floor(),
        })
    }

    async fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> Result<Page, LogError> {
        let list = self.list();
        let entries: Vec<_> = list.matching(rooms, after).take(limit).cloned().collect();
        // A full page ends with its last entry; any other has looked at everything.
        let last = entries.last().map_or(after, |entry| entry.n());
        let scanned = if entries.len() == limit {
            last
        } else {
            after.max(list.last.n())
        };
        Ok(Page {
            epoch: list.last.epoch(),
            entries,
            scanned,
            trimmed: list.trimmed(rooms),
        })
    }

    async fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Result<History, LogError> {
        let list = self.list();
        let entry = list
            .entries
            .iter()
            .find(|entry| entry.n() == n)
            .map(|entry| entry.content().id());
        let missed = list.matching(Some(rooms), n).take(limit).count();
        Ok(History {
            head: list.last,
            entry,
            trimmed: list.trimmed(Some(rooms)),
            missed,
        })
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }
}

impl List {
    /// An entry that is known keeps its place.
    fn push(&mut self, new: NewEntry) -> Position {
        if let Some(known) = self
            .entries
            .iter()
            .find(|entry| entry.content().id() == new.id())
        {
            return known.position();
        }
        let entry = Entry::new(self.last.epoch(), self.last.n() + 1, now(), new);
        self.last = entry.position();
        self.entries.push(Arc::new(entry));
        self.last
    }

    /// The oldest go first, and the last one stays.
    fn trim(&mut self, keep: Retention) {
        let mut bytes: u64 = self
            .entries
            .iter()
            .map(|entry| entry.content().size() as u64)
            .sum();
        let oldest = now() - i64::try_from(keep.age.as_millis()).unwrap_or(i64::MAX);
        while let [first, _, ..] = &*self.entries {
            if self.entries.len() <= keep.entries && bytes <= keep.bytes && first.ts() > oldest {
                return;
            }
            bytes -= first.content().size() as u64;
            let gone = self.entries.remove(0);
            self.trimmed.extend(
                gone.content()
                    .rooms()
                    .iter()
                    .map(|room| (room.clone(), gone.n())),
            );
        }
    }

    fn matching<'a>(
        &'a self,
        rooms: Option<&'a [Room]>,
        after: u64,
    ) -> impl Iterator<Item = &'a Arc<Entry>> {
        let wanted = move |entry: &Entry| match rooms {
            Some(rooms) => entry
                .content()
                .rooms()
                .iter()
                .any(|room| rooms.contains(room)),
            None => true,
        };
        self.entries
            .iter()
            .filter(move |entry| entry.n() > after && wanted(entry))
    }

    fn trimmed(&self, rooms: Option<&[Room]>) -> u64 {
        let Some(rooms) = rooms else {
            return self.floor();
        };
        rooms
            .iter()
            .filter_map(|room| self.trimmed.get(room))
            .max()
            .copied()
            .unwrap_or(0)
    }

    fn floor(&self) -> u64 {
        self.entries.first().map_or(0, |oldest| oldest.n() - 1)
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one place where this program reads the time"
)]
fn now() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

async fn send_news(
    State(realtime): State<Realtime>,
    Json(news): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    let sent = realtime
        .send([Room::Everyone], ("news", json!({ "text": news["text"] })))
        .await;
    let receipt = sent.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(Json(
        json!({ "status": "success", "data": { "at": receipt.position } }),
    ))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = std::env::var("JWT_SECRET").unwrap_or_else(|_| "a development secret".to_owned());
    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let authenticator = JwtAuthenticator::hs256(secret)?;
    let log = ListLog::new(Retention::MEMORY);
    let realtime = Realtime::builder()
        .authenticator(authenticator)
        .log(log)
        .build()
        .await?;
    let app = Router::new()
        .route("/api/news", post(send_news))
        .with_state(realtime.clone());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    println!("listening on http://{}", listener.local_addr()?);
    let stopped = async move {
        tokio::select! { _ = tokio::signal::ctrl_c() => {}, _ = terminate.recv() => {} }
    };
    metaia_realtime::serve(listener, app, realtime)
        .with_shutdown(stopped)
        .await;
    Ok(())
}

#[cfg(test)]
mod contract {
    use metaia_realtime::{log::Retention, testing::log_contract::Subject};

    use super::ListLog;

    /// A place for a log: in memory, nothing at all.
    struct Nowhere;

    impl Subject for Nowhere {
        type Log = ListLog;
        const DURABLE: bool = false;

        fn new() -> Self {
            Self
        }

        async fn open(&self, retention: Retention) -> ListLog {
            ListLog::new(retention)
        }

        async fn trim(&self, log: &ListLog) {
            log.list().trim(log.retention);
        }
    }

    metaia_realtime::log_contract!(Nowhere);
}
