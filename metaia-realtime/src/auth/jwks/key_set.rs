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
    freshness::Freshness,
    loader::{JwksError, KeyLoader, LoadedKeys},
    lookup::Lookup,
    source::JwksSource,
};
use crate::{
    auth::{algorithm::PublicAlgorithm, compact::CompactToken},
    failure_log::FailureLog,
};

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
    /// The issuer as log lines name it.
    name: String,
    loader: Arc<dyn KeyLoader>,
}

/// The facts that were logged last, so that nothing is logged twice in a row.
#[derive(Default)]
struct LoadLog {
    failures: FailureLog,
    left_out: String,
}

struct KeySetState {
    table: Option<Arc<KeyTable>>,
    freshness: Freshness,
    /// The error of the last attempt.
    error: Option<Arc<JwksError>>,
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
                freshness,
                error: None,
            }),
            due: Notify::new(),
            ended: watch::Sender::new(0),
            name: name(source.issuer.as_deref()),
            loader: source.loader,
        });
        let stop = CancellationToken::new();
        let task = TaskTracker::new();
        task.spawn(keep_fresh(Arc::clone(&shared), stop.clone()));
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
    /// began a short time ago. Returns false if the attempt has not ended after 4 s
    /// (`WAIT_TIMEOUT`).
    pub(super) async fn ask(&self) -> bool {
        let mut ended = self.shared.ended.subscribe();
        let waits = self.shared.state.lock().freshness.ask(Instant::now());
        if !waits {
            return true;
        }
        self.shared.due.notify_one();
        timeout(WAIT_TIMEOUT, ended.changed()).await.is_ok()
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

fn name(issuer: Option<&str>) -> String {
    match issuer {
        Some(issuer) => format!("of the issuer {issuer:?}"),
        None => "of any issuer".to_owned(),
    }
}

/// Loads the keys until `stop`: when it is their time, and when a token asks.
async fn keep_fresh(shared: Arc<Shared>, stop: CancellationToken) {
    let mut log = LoadLog::default();
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
        shared.log(&loaded, &mut log);
        shared.end_attempt(loaded);
    }
}

impl Shared {
    fn end_attempt(&self, loaded: Result<LoadedKeys, JwksError>) {
        let mut state = self.state.lock();
        match loaded {
            Ok(LoadedKeys { table, max_age }) => {
                state.freshness.worked(Instant::now(), max_age);
                state.error = None;
                if let Some(table) = table {
                    state.table = Some(Arc::new(table));
                }
            }
            Err(error) => {
                state.freshness.failed();
                state.error = Some(Arc::new(error));
            }
        }
        drop(state);
        self.ended.send_modify(|ended| *ended += 1);
    }

    /// Logs the first failure, the first success after it, and other keys that are left out.
    fn log(&self, loaded: &Result<LoadedKeys, JwksError>, log: &mut LoadLog) {
        let Self { name, loader, .. } = self;
        let place = loader.place();
        match loaded {
            Ok(loaded) => {
                let again = || tracing::info!("the keys {name} are loaded again from {place}");
                log.failures.worked(again);
                if let Some(table) = &loaded.table {
                    self.log_left_out(table, log);
                }
            }
            Err(error) => log.failures.failed(|| self.warn(error)),
        }
    }

    fn log_left_out(&self, table: &KeyTable, log: &mut LoadLog) {
        let left_out = table.left_out();
        if left_out != log.left_out && !left_out.is_empty() {
            let count = table.len();
            let Self { name, loader, .. } = self;
            let place = loader.place();
            tracing::info!("{count} keys {name} are used from {place}; left out{left_out}");
        }
        log.left_out = left_out;
    }

    fn warn(&self, error: &JwksError) {
        let Self { name, loader, .. } = self;
        let place = loader.place();
        let cause = causes(error);
        let effect = if self.state.lock().table.is_some() {
            "the keys that are known stay in use"
        } else {
            "tokens of this issuer are answered `unavailable` until then"
        };
        tracing::warn!(
            "the keys {name} cannot be loaded from {place}: {cause}. It is tried again; {effect}. \
             Check the address, and that this machine reaches it"
        );
    }
}

/// Returns an error with its causes.
fn causes(error: &JwksError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
