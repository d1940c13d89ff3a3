//! Shows a log of your own: a list behind a lock. It passes the contract that every log must keep.
//!
//! Run the contract, one test for each clause:
//!
//! ```sh
//! cargo test -p metaia-examples --example own_log
//! ```
//!
//! Run a server with this log:
//!
//! ```sh
//! export JWT_SECRET='a development secret'
//! cargo run -p metaia-examples --example own_log
//! ```
//!
//! In a second terminal, run `metaia tail --as customer:c1` with the same `JWT_SECRET`. In a third
//! one, send the event `news` to everyone through the log:
//!
//! ```sh
//! curl localhost:5000/api/news --json '{"text": "hello"}'
//! ```
//!
//! `PORT` sets another port.
#![allow(clippy::print_stdout, reason = "an example prints to its terminal")]

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

/// A log in memory. It ends with the process, so each one has an epoch of its own: a client with a
/// position of an earlier epoch is told to reload.
struct ListLog {
    retention: Retention,
    list: Mutex<List>,
    /// The number of the newest entry.
    head: watch::Sender<u64>,
}

struct List {
    /// The position of the newest entry.
    last: Position,
    /// The entries up to `last`, without gaps in their numbers.
    entries: Vec<Arc<Entry>>,
    /// For each room, the number of the newest entry that was trimmed.
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
        // One lock for the whole append: no reader sees a part of it, and the numbers that `head`
        // publishes never decrease.
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
        // A full page was scanned up to its last entry, any other page up to the end of the log.
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
    /// Appends an entry and returns its position. A retry of an append must not duplicate entries:
    /// an entry whose id is known keeps its position.
    fn push(&mut self, new: NewEntry) -> Position {
        let mut known = self.entries.iter();
        if let Some(known) = known.find(|entry| entry.content().id() == new.id()) {
            return known.position();
        }
        let entry = Entry::new(self.last.epoch(), self.last.n() + 1, now(), new);
        self.last = entry.position();
        self.entries.push(Arc::new(entry));
        self.last
    }

    /// Removes the oldest entries until all limits are met. The newest entry always stays.
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
            let removed = self.entries.remove(0);
            for room in removed.content().rooms() {
                self.trimmed.insert(room.clone(), removed.n());
            }
        }
    }

    /// Returns the entries after `after` in any of the rooms; `None` means all rooms.
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

    /// Returns the number of the newest trimmed entry of these rooms, or 0.
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

    /// Returns the number of the newest trimmed entry, or 0.
    fn floor(&self) -> u64 {
        self.entries.first().map_or(0, |oldest| oldest.n() - 1)
    }
}

/// Returns the time in Unix milliseconds.
#[allow(
    clippy::disallowed_methods,
    reason = "the only place where this program reads the clock"
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
    // Before the address is printed: from then on, SIGTERM stops the server cleanly.
    let mut terminate = signal(SignalKind::terminate())?;
    println!("listening on http://{}", listener.local_addr()?);
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    metaia_realtime::serve(listener, app, realtime)
        .with_shutdown(stop)
        .await;
    Ok(())
}

#[cfg(test)]
mod contract {
    use metaia_realtime::{log::Retention, testing::log_contract::Subject};

    use super::ListLog;

    /// The contract opens its logs here. A log in memory needs no place.
    struct InMemory;

    impl Subject for InMemory {
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

    metaia_realtime::log_contract!(InMemory);
}
