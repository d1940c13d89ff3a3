//! The keys of one source, and the task that loads them.
//!
//! The task alone loads: a token that waits for keys may be gone before they are there, and a
//! client must not be able to stop an attempt by leaving.

use std::{sync::Arc, time::Duration};

use jsonwebtoken::signature::Verifier as _;
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use super::{
    document::{Found, KeyTable},
    freshness::{Freshness, LoadRequest},
    load_log::LoadLog,
    loader::{JwksError, KeyLoader, LoadedKeys},
    lookup::Lookup,
    removed::RemovedKeys,
    source::JwksSource,
    stats::KeySetStats,
};
use crate::auth::{algorithm::PublicAlgorithm, compact::CompactToken};

/// The time of one attempt, answer included.
const LOAD_TIMEOUT: Duration = Duration::from_secs(5);
/// The time for which a token waits for keys: less than a client has for its CONNECT.
const WAIT_TIMEOUT: Duration = Duration::from_secs(4);

/// The keys of one source. When it is dropped, its task ends.
pub(super) struct KeySet {
    pub(super) issuer: Option<String>,
    pub(super) audiences: Vec<String>,
    shared: Arc<Shared>,
    _task: TaskTracker,
    _stop: DropGuard,
}

struct Shared {
    /// A short lock: it is never held while something waits.
    state: Mutex<KeySetState>,
    /// Has the task begin an attempt that is due.
    due: Notify,
    /// The number of attempts that have ended.
    ended: watch::Sender<u64>,
    loader: Arc<dyn KeyLoader>,
}

struct KeySetState {
    table: Option<Arc<KeyTable>>,
    /// The keys that the table had once.
    removed: RemovedKeys,
    freshness: Freshness,
    /// The error of the last attempt.
    error: Option<Arc<JwksError>>,
    /// The number of attempts that failed.
    failures: u64,
}

impl KeySet {
    /// Begins to load the keys.
    ///
    /// # Panics
    /// If no Tokio runtime runs.
    pub(super) fn open(source: JwksSource) -> Self {
        let now = Instant::now();
        let mut freshness = Freshness::new(source.times, now);
        if source.first.is_some() {
            freshness.begin(now);
            freshness.worked(now, None);
        }
        let shared = Arc::new(Shared {
            state: Mutex::new(KeySetState {
                table: source.first.map(Arc::new),
                removed: RemovedKeys::default(),
                freshness,
                error: None,
                failures: 0,
            }),
            due: Notify::new(),
            ended: watch::Sender::new(0),
            loader: source.loader,
        });
        let log = LoadLog::new(source.issuer.as_deref(), shared.loader.place());
        let stop = CancellationToken::new();
        let task = TaskTracker::new();
        task.spawn(keep_fresh(Arc::clone(&shared), log, stop.clone()));
        Self {
            issuer: source.issuer,
            audiences: source.audiences,
            shared,
            _task: task,
            _stop: stop.drop_guard(),
        }
    }

    /// Looks at the known keys for the one that a token is signed with.
    pub(super) fn look_up(
        &self,
        token: &CompactToken<'_>,
        id: Option<&str>,
        algorithm: PublicAlgorithm,
    ) -> Lookup {
        let (table, is_certain) = {
            let state = self.shared.state.lock();
            let is_usable = state.freshness.is_usable(Instant::now());
            let table = state.table.clone().filter(|_| is_usable);
            (table, state.freshness.is_certain())
        };
        let Some(table) = table else {
            return Lookup::Unavailable;
        };
        match table.find(id, algorithm) {
            Found::Key(key) if token.is_signed_with(|m, s| key.verify(m, s).is_ok()) => {
                Lookup::Good
            }
            Found::Key(_) => Lookup::Bad,
            Found::OtherAlgorithm(algorithm) => Lookup::OtherAlgorithm(algorithm),
            Found::Unknown if is_certain => Lookup::Unknown,
            // It may be a new one.
            Found::Unknown => Lookup::Unavailable,
            Found::Ambiguous => Lookup::Ambiguous,
        }
    }

    /// Has the keys loaded, or waits for an attempt that is running. Returns at once if an attempt
    /// began a short time ago, and after 4 s (`WAIT_TIMEOUT`) in any case. Returns true if an
    /// attempt has ended that began after the call, so that its result is the source's last word on
    /// the keys of a token that came before it.
    pub(super) async fn ask(&self) -> bool {
        let mut ended = self.shared.ended.subscribe();
        let asked = self.shared.state.lock().freshness.ask(Instant::now());
        if asked == LoadRequest::TooSoon {
            return false;
        }
        self.shared.due.notify_one();
        let has_ended = timeout(WAIT_TIMEOUT, ended.changed()).await.is_ok();
        has_ended && asked == LoadRequest::Begins
    }

    /// Returns whether the source once had a key with this id, and has removed it.
    pub(super) fn has_removed(&self, id: &str) -> bool {
        self.shared.state.lock().removed.has(id)
    }

    /// Returns the time after which a token whose key is not known may be judged otherwise.
    pub(super) fn until_news(&self) -> Duration {
        self.shared
            .state
            .lock()
            .freshness
            .until_news(Instant::now())
    }

    pub(super) fn stats(&self) -> KeySetStats {
        let state = self.shared.state.lock();
        KeySetStats {
            place: self.place().to_owned(),
            issuer: self.issuer.clone(),
            age: state.freshness.age(Instant::now()),
            failures: state.failures,
        }
    }

    /// Waits for the first attempt, and returns its error.
    pub(super) async fn first_attempt(&self) -> Result<(), Arc<JwksError>> {
        let mut ended = self.shared.ended.subscribe();
        loop {
            {
                let state = self.shared.state.lock();
                if state.table.is_some() {
                    return Ok(());
                }
                if let Some(error) = &state.error {
                    return Err(Arc::clone(error));
                }
            }
            // It cannot fail: `self` has the sender.
            let _ = ended.changed().await;
        }
    }

    pub(super) fn place(&self) -> &str {
        self.shared.loader.place()
    }
}

/// Loads the keys until `stop`: when it is their time, and when a token asks.
async fn keep_fresh(shared: Arc<Shared>, mut log: LoadLog, stop: CancellationToken) {
    if let Some(first) = shared.table() {
        log.left_out(&first);
    }
    loop {
        let next = shared.state.lock().freshness.next();
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = sleep_until(next) => {}
            () = shared.due.notified() => continue,
        }
        shared.state.lock().freshness.begin(Instant::now());
        let loaded = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            loaded = timeout(LOAD_TIMEOUT, shared.loader.load()) => loaded,
        };
        let loaded = loaded.unwrap_or(Err(JwksError::Slow(LOAD_TIMEOUT)));
        log.attempted(&loaded, shared.table().is_some());
        shared.end_attempt(loaded);
    }
}

impl KeySetState {
    fn replace(&mut self, table: KeyTable) {
        if let Some(old) = &self.table {
            self.removed.replaced(old, &table);
        }
        self.table = Some(Arc::new(table));
    }
}

impl Shared {
    fn table(&self) -> Option<Arc<KeyTable>> {
        self.state.lock().table.clone()
    }

    fn end_attempt(&self, loaded: Result<LoadedKeys, JwksError>) {
        let mut state = self.state.lock();
        match loaded {
            Ok(LoadedKeys { table, max_age }) => {
                state.freshness.worked(Instant::now(), max_age);
                state.error = None;
                if let Some(table) = table {
                    state.replace(table);
                }
            }
            Err(error) => {
                state.freshness.failed();
                state.failures += 1;
                state.error = Some(Arc::new(error));
            }
        }
        drop(state);
        self.ended.send_modify(|ended| *ended += 1);
    }
}
