//! The revocations that this node knows, and the store behind them.
//!
//! A node checks tokens against its view alone. If others may write to the store, a task reads what
//! has changed once a second. A view that could not be read for 5 s (`MAX_AGE`) lets no client in:
//! another node may have revoked its token meanwhile.
//!
//! **No session slips through.** A record is added to the view first, and the sessions are looked
//! at after that. A session enters the registry first, or takes its new identity first, and is
//! checked against the view after that. So of a record and a session that arrive together, one sees
//! the other.

use std::{sync::Arc, time::Duration};

use parking_lot::{Mutex, RwLock};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::Node;
use crate::{
    Identity,
    auth::{AuthError, Credentials, ProvenClaims},
    failure_log::FailureLog,
    revocation::{
        MemoryRevocations, Revocation, RevocationChanges, RevocationCursor, RevocationError,
        RevocationSet, SharedStore,
    },
    session::{EndReason, Session},
    values::time,
};

/// The time between two reads of a store that others write to. A revocation ends the sessions of
/// every node within this time, and that of a read.
const READ_INTERVAL: Duration = Duration::from_secs(1);

/// The time that a read may take.
const READ_TIMEOUT: Duration = Duration::from_secs(4);

/// The time that the start of a node waits for the first read.
const FIRST_READ_TIMEOUT: Duration = Duration::from_secs(1);

/// The age of the view from which no client is authenticated.
const MAX_AGE: Duration = Duration::from_secs(5);

/// Sessions that are visited before other tasks may have the thread.
const SESSIONS_PER_YIELD: usize = 256;

/// The revocations of a node: the view in memory, and the store.
pub(crate) struct Revocations {
    store: SharedStore,
    view: RwLock<RevocationSet>,
    progress: Mutex<ReadProgress>,
    created_at: Instant,
}

/// The progress of the reads of the store.
#[derive(Default)]
struct ReadProgress {
    cursor: Option<RevocationCursor>,
    /// The time when the last read that succeeded began.
    read_at: Option<Instant>,
}

impl Revocations {
    /// Returns an empty view of a store that was not read yet: see [`read`](Self::read).
    pub(crate) fn of(store: SharedStore) -> Self {
        Self {
            store,
            view: RwLock::default(),
            progress: Mutex::default(),
            created_at: Instant::now(),
        }
    }

    /// Returns revocations that live as long as the node, of which there are none yet.
    pub(crate) fn in_memory() -> Self {
        let revocations = Self::of(Arc::new(MemoryRevocations::default()));
        revocations.progress.lock().read_at = Some(Instant::now());
        revocations
    }

    /// Reads the store for the first time. If it cannot be read within 1 s (`FIRST_READ_TIMEOUT`),
    /// it is read later.
    pub(crate) async fn begin(&self) {
        match timeout(FIRST_READ_TIMEOUT, self.read()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(
                    error,
                    "revocations cannot be read yet: no client is authenticated"
                );
            }
            Err(_) => tracing::warn!("revocations cannot be read yet: no client is authenticated"),
        }
    }

    /// Reads what has changed in the store. Returns the records that are new to this node.
    ///
    /// # Errors
    /// Returns the store's error, also if the store takes longer than 4 s (`READ_TIMEOUT`).
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub(crate) async fn read(&self) -> Result<Vec<Revocation>, RevocationError> {
        let began = Instant::now();
        let cursor = self.progress.lock().cursor.clone();
        let reading = timeout(READ_TIMEOUT, self.store.changed_since(cursor));
        let RevocationChanges {
            revocations,
            cursor,
        } = reading.await.map_err(RevocationError::new)??;
        let new = self.add(revocations);
        let mut progress = self.progress.lock();
        progress.cursor = Some(cursor);
        progress.read_at = Some(began);
        Ok(new)
    }

    /// Adds records to the view. Returns those that were new to it.
    fn add(&self, mut revocations: Vec<Revocation>) -> Vec<Revocation> {
        let mut view = self.view.write();
        revocations.retain(|revocation| view.insert(revocation));
        view.remove_ended(time::unix_ms());
        revocations
    }

    /// Returns whether the token of this identity is revoked, as far as this node knows.
    pub(crate) fn revokes(&self, identity: &Identity) -> bool {
        self.view.read().revokes(identity)
    }

    /// Checks an identity whose token is valid by itself.
    ///
    /// # Errors
    /// Returns [`AuthError::Revoked`] if the token is revoked, and [`AuthError::Unavailable`] if it
    /// may be, since the view is too old.
    fn check(&self, identity: &Identity) -> Result<(), AuthError> {
        if self.revokes(identity) {
            return Err(AuthError::Revoked);
        }
        if self.is_current() {
            Ok(())
        } else {
            Err(AuthError::Unavailable)
        }
    }

    /// Returns whether the view was read lately enough to let clients in.
    pub(crate) fn is_current(&self) -> bool {
        self.has_read() && self.age() < MAX_AGE
    }

    fn has_read(&self) -> bool {
        self.progress.lock().read_at.is_some()
    }

    /// Returns how old the view is: 0 if it changes through this node alone. Before the first read
    /// it is as old as the node.
    pub(crate) fn age(&self) -> Duration {
        match self.progress.lock().read_at {
            Some(_) if !self.store.is_shared() => Duration::ZERO,
            Some(read_at) => read_at.elapsed(),
            None => self.created_at.elapsed(),
        }
    }

    /// Returns how many records there are.
    pub(crate) fn len(&self) -> usize {
        self.view.read().len()
    }

    /// Returns whether the store is to be read again: always if others write to it, otherwise until
    /// it was read once.
    fn is_to_be_read(&self) -> bool {
        self.store.is_shared() || !self.has_read()
    }
}

impl Node {
    /// Authenticates a client, and refuses a token that was revoked.
    ///
    /// # Errors
    /// Returns the error of the authenticator, [`AuthError::Unauthorized`] for a token that is too
    /// long, and the errors of the check for revocations.
    ///
    /// # Cancel safety
    /// Dropping the future has no effect.
    pub(crate) async fn authenticate(
        &self,
        credentials: Credentials,
    ) -> Result<Identity, AuthError> {
        if !self.has_token_in_bounds(&credentials) {
            return Err(AuthError::Unauthorized);
        }
        let identity = self.authenticator.authenticate(credentials).await?;
        self.revocations.check(&identity)?;
        Ok(identity)
    }

    /// Returns what refused credentials prove all the same: nothing if the token is too long.
    pub(crate) fn proven_claims(&self, credentials: &Credentials) -> ProvenClaims {
        if self.has_token_in_bounds(credentials) {
            self.authenticator.proven_claims(credentials)
        } else {
            ProvenClaims::default()
        }
    }

    /// Returns the time after which a client that could not be authenticated may try again, if it
    /// is known.
    pub(crate) fn retry_after(&self, credentials: &Credentials) -> Option<Duration> {
        if self.has_token_in_bounds(credentials) {
            self.authenticator.retry_after(credentials)
        } else {
            None
        }
    }

    fn has_token_in_bounds(&self, credentials: &Credentials) -> bool {
        let length = credentials.token.as_ref().map_or(0, |token| token.len());
        length <= self.limits.token_bytes
    }

    /// Returns whether clients can be authenticated: the node knows which tokens are revoked.
    pub(crate) fn is_authenticating(&self) -> bool {
        self.revocations.is_current()
    }

    /// Returns whether the token of a session is revoked, as far as this node knows.
    pub(crate) fn is_revoked(&self, session: &Session) -> bool {
        self.revocations.revokes(&session.identity().who)
    }

    /// Stores a revocation, and ends the sessions of this node that it is of. Returns the record
    /// that stands.
    ///
    /// # Errors
    /// Returns the store's error.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the revocation stored and this node without it: do not.
    pub(crate) async fn revoke(
        &self,
        revocation: Revocation,
    ) -> Result<Revocation, RevocationError> {
        let standing = self.revocations.store.put(revocation).await?;
        let new = self.revocations.add(vec![standing.clone()]);
        self.end_revoked(&new).await;
        Ok(standing)
    }

    /// Ends the sessions that new records of the view are of.
    async fn end_revoked(&self, new: &[Revocation]) {
        let mut ended = 0_usize;
        for sessions in self.candidates(new).chunks(SESSIONS_PER_YIELD) {
            for session in sessions {
                if self.is_revoked(session) {
                    self.end(session, EndReason::Revoked);
                    ended += 1;
                }
            }
            tokio::task::yield_now().await;
        }
        if !new.is_empty() {
            tracing::info!(records = new.len(), ended, "tokens were revoked");
        }
    }

    /// Returns the sessions that these records may be of.
    fn candidates(&self, new: &[Revocation]) -> Vec<Arc<Session>> {
        let mut of_users = Vec::new();
        for revocation in new {
            match revocation {
                Revocation::User { user, .. } => of_users.extend(self.registry.of_user(user)),
                _ => return self.registry.all(),
            }
        }
        of_users
    }
}

/// Reads the revocations of other nodes until the node stops. If there are no others, it ends as
/// soon as the store was read.
pub(super) async fn run(node: Arc<Node>) {
    let mut tick = interval(READ_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failures = FailureLog::default();
    while node.revocations.is_to_be_read() {
        tokio::select! {
            biased;
            () = node.stopping.cancelled() => return,
            _ = tick.tick() => {}
        }
        let read = tokio::select! {
            biased;
            () = node.stopping.cancelled() => return,
            read = node.revocations.read() => read,
        };
        log_if_changed(&mut failures, &read);
        node.end_revoked(&read.unwrap_or_default()).await;
    }
}

/// Logs one line when the revocations cannot be read any more, and one when they can be again.
fn log_if_changed(failures: &mut FailureLog, read: &Result<Vec<Revocation>, RevocationError>) {
    match read {
        Ok(_) => failures.worked(|| tracing::info!("revocations can be read again")),
        Err(error) => failures.failed(|| {
            let error: &dyn std::error::Error = error;
            tracing::warn!(
                error,
                "revocations cannot be read; after 5 s without them no client is authenticated"
            );
        }),
    }
}
