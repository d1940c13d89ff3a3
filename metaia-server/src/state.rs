//! The state of the router: what handlers receive.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::extract::FromRef;
use metaia_realtime::{Realtime, sqlite::WriteObstacle};
use tokio::time::timeout;

use crate::{
    auth::{key_guard::KeyGuard, request_auth::RequestAuth},
    services::Services,
    store::{Store, StoreError},
};

/// The time in which a ready store answers a ping.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// The state of the router. A handle: `clone` is cheap, and all clones are one state.
#[derive(Debug, Clone)]
pub struct AppState {
    /// Authenticates requests and limits their rate.
    pub request_auth: Arc<RequestAuth>,
    /// Counts wrong API keys and wrong signatures of webhooks.
    pub key_guard: Arc<KeyGuard>,
    /// The readiness of this server.
    pub health: Health,
    /// The use cases.
    pub services: Services,
}

impl FromRef<AppState> for Arc<RequestAuth> {
    fn from_ref(state: &AppState) -> Self {
        Self::clone(&state.request_auth)
    }
}

impl FromRef<AppState> for Arc<KeyGuard> {
    fn from_ref(state: &AppState) -> Self {
        Self::clone(&state.key_guard)
    }
}

impl FromRef<AppState> for Health {
    fn from_ref(state: &AppState) -> Self {
        state.health.clone()
    }
}

impl FromRef<AppState> for Services {
    fn from_ref(state: &AppState) -> Self {
        state.services.clone()
    }
}

/// The readiness of a server: it is ready while its store takes writes, it can authenticate
/// clients, and it is not shutting down.
/// A handle: all clones share one state.
#[derive(Clone)]
pub struct Health {
    store: Arc<dyn Store>,
    realtime: Realtime,
    leaving: Arc<AtomicBool>,
}

/// The reason why a server is not ready.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotReady {
    #[error("The server is shutting down.")]
    Leaving,
    #[error("{store} cannot be reached or written.")]
    Unusable {
        store: &'static str,
        source: StoreError,
    },
    #[error("{store} cannot be written: {obstacle}.")]
    Obstructed {
        store: &'static str,
        obstacle: WriteObstacle,
        source: StoreError,
    },
    #[error("{store} does not answer.")]
    Silent { store: &'static str },
    #[error("It cannot be read which tokens are revoked, so that nobody is authenticated.")]
    UnknownRevocations,
}

impl Health {
    /// Returns the health of a server on this store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, realtime: Realtime) -> Self {
        Self {
            store,
            realtime,
            leaving: Arc::default(),
        }
    }

    /// Makes the server not ready for the rest of its life, so that a load balancer sends no new
    /// work.
    pub fn leave(&self) {
        self.leaving.store(true, Relaxed);
    }

    /// Checks that the server is ready, and returns a notice for its operator if there is one.
    pub(crate) async fn check(&self) -> Result<Option<&'static str>, NotReady> {
        if self.leaving.load(Relaxed) {
            return Err(NotReady::Leaving);
        }
        let store = self.store.name();
        match timeout(PING_TIMEOUT, self.store.ping()).await {
            Ok(Ok(_)) if !self.realtime.is_authenticating() => Err(NotReady::UnknownRevocations),
            Ok(Ok(notice)) => Ok(notice),
            Ok(Err(source)) => Err(self.not_writable(store, source)),
            Err(_) => Err(NotReady::Silent { store }),
        }
    }
}

/// The pause between two inspections of the store.
const INSPECTION_PAUSE: Duration = Duration::from_secs(5);

impl Health {
    /// Looks every 5 s whether the store can be written, until the future is dropped: a node to
    /// which nobody writes notices, too, that its data folder was deleted.
    pub(crate) async fn inspect_store(&self) {
        loop {
            tokio::time::sleep(INSPECTION_PAUSE).await;
            self.store.inspect().await;
        }
    }

    fn not_writable(&self, store: &'static str, source: StoreError) -> NotReady {
        match self.store.obstacle() {
            Some(obstacle) => NotReady::Obstructed {
                store,
                obstacle,
                source,
            },
            None => NotReady::Unusable { store, source },
        }
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health")
            .field("leaving", &self.leaving)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{store::SqliteStore, testing::Folder};
    use metaia_realtime::{
        JwtAuthenticator, Limits,
        log::Retention,
        revocation::{
            Revocation, RevocationChanges, RevocationCursor, RevocationError, RevocationStore,
        },
        sqlite::SqliteOptions,
    };

    /// A store of revocations that cannot be read.
    struct Unreadable;

    impl RevocationStore for Unreadable {
        fn is_shared(&self) -> bool {
            true
        }

        async fn put(&self, _: Revocation) -> Result<Revocation, RevocationError> {
            Err(RevocationError::new("down"))
        }

        async fn changed_since(
            &self,
            _: Option<RevocationCursor>,
            _: usize,
        ) -> Result<RevocationChanges, RevocationError> {
            Err(RevocationError::new("down"))
        }
    }

    #[tokio::test]
    async fn a_server_is_ready_while_it_can_write_and_is_not_leaving() {
        let folder = Folder::new();
        let path = folder.file("t.db");
        let limits = Limits::default();
        let opened =
            SqliteStore::open(path, SqliteOptions::default(), Retention::DISK, &limits).await;
        let store: Arc<dyn Store> = Arc::new(opened.unwrap());
        let authenticator = JwtAuthenticator::hs256("secret").unwrap();
        let builder = Realtime::builder().authenticator(authenticator);
        let realtime = builder.build().await.unwrap();
        let health = Health::new(Arc::clone(&store), realtime.clone());
        assert!(health.check().await.is_ok());
        let authenticator = JwtAuthenticator::hs256("secret").unwrap();
        let builder = Realtime::builder().authenticator(authenticator);
        let unread = builder.revocation_store(Unreadable).build().await.unwrap();
        let unread = Health::new(Arc::clone(&store), unread).check().await;
        assert!(matches!(unread, Err(NotReady::UnknownRevocations)));
        store.close().await;
        let unusable = health.check().await.unwrap_err();
        assert!(
            matches!(unusable, NotReady::Unusable { .. }),
            "{unusable:?}"
        );

        let leaving = Health::new(store, realtime);
        leaving.leave();
        assert!(matches!(leaving.check().await, Err(NotReady::Leaving)));
    }
}
