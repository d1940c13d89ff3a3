//! The revocations that this node knows, and the store behind them.
//!
//! A node checks tokens against its view alone. If others may write to the store, a task reads what
//! has changed once a second. A view that could not be read for 5 s (`MAX_AGE`) lets no client in:
//! another node may have revoked its token meanwhile.
//!
//! **Pages.** A pass over what has changed is read in pages of 1,000 records (`PAGE_RECORDS`), each
//! with a timeout of its own (4 s, `READ_TIMEOUT`). A page that fails is read again; those before
//! it are not. So a node with any number of records gets ready, and a page is little enough work
//! for a thread that serves clients, too. The view is as old as the beginning of the last complete
//! pass.
//!
//! **No session slips through.** A record is added to the view first, and the sessions are looked
//! at after that. A session enters the registry first, or takes its new identity first, and is
//! checked against the view after that. So of a record and a session that arrive together, one sees
//! the other.

mod sessions;

use std::{sync::Arc, time::Duration};

use parking_lot::{Mutex, RwLock};
use tokio::time::{Instant, timeout};

pub(super) use sessions::run;

use crate::{
    Identity,
    auth::AuthError,
    revocation::{
        MemoryRevocations, Revocation, RevocationCursor, RevocationError, RevocationSet,
        SharedStore,
    },
    values::time,
};

/// The most records of a page.
const PAGE_RECORDS: usize = 1_000;

/// The time that a page may take.
const READ_TIMEOUT: Duration = Duration::from_secs(4);

/// The time that the start of a node waits for the first pass.
const FIRST_READ_TIMEOUT: Duration = Duration::from_secs(1);

/// The age of the view from which no client is authenticated.
const MAX_AGE: Duration = Duration::from_secs(5);

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
    /// The time when the pass began that is not over yet.
    pass_began: Option<Instant>,
    /// The time when the last complete pass began.
    read_at: Option<Instant>,
}

impl ReadProgress {
    fn has_read_page(&mut self, began: Instant, cursor: RevocationCursor, has_more: bool) {
        let pass_began = self.pass_began.take().unwrap_or(began);
        self.cursor = Some(cursor);
        if has_more {
            self.pass_began = Some(pass_began);
        } else {
            self.read_at = Some(pass_began);
        }
    }
}

/// A page that was read.
struct ReadPage {
    /// The records that are new to this node.
    new: Vec<Revocation>,
    has_more: bool,
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

    /// Reads the store for the first time, for at most 1 s (`FIRST_READ_TIMEOUT`). The rest is read
    /// later, and what has failed again.
    pub(crate) async fn begin(&self) {
        match timeout(FIRST_READ_TIMEOUT, self.read_pass()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(
                    error,
                    "revocations cannot be read yet: no client is authenticated"
                );
            }
            Err(_) => tracing::warn!(
                read = self.len(),
                "revocations are not all read yet: no client is authenticated until then"
            ),
        }
    }

    async fn read_pass(&self) -> Result<(), RevocationError> {
        while self.read_page().await?.has_more {}
        Ok(())
    }

    /// Reads the next page of what has changed in the store.
    ///
    /// # Errors
    /// Returns the store's error, also if the store takes longer than 4 s (`READ_TIMEOUT`).
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    async fn read_page(&self) -> Result<ReadPage, RevocationError> {
        let began = Instant::now();
        let cursor = self.progress.lock().cursor.clone();
        let reading = self.store.changed_since(cursor, PAGE_RECORDS);
        let reading = timeout(READ_TIMEOUT, reading).await;
        let changes = reading.map_err(RevocationError::new)??;
        // No await from here on: a record that is in the view is new to no later page.
        let new = self.add(changes.revocations);
        let has_more = changes.has_more;
        let mut progress = self.progress.lock();
        progress.has_read_page(began, changes.cursor, has_more);
        Ok(ReadPage { new, has_more })
    }

    /// Adds records to the view. Returns those that were new to it.
    fn add(&self, mut revocations: Vec<Revocation>) -> Vec<Revocation> {
        let now = time::unix_ms();
        let mut view = self.view.write();
        revocations.retain(|revocation| !revocation.has_ended(now) && view.insert(revocation));
        view.remove_ended(now);
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
