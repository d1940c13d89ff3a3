//! `GET /livez`: the process answers. `GET /readyz`: it can do its work, and is not leaving.

use std::{
    borrow::Cow,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{Json, Router, extract::State, routing::get};
use http::{StatusCode, header};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{http::problem::ApiError, state::AppState, store::Store};

/// A store that takes longer for nothing is not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether this server can do its work. A handle.
#[derive(Clone)]
pub struct Health {
    store: Arc<dyn Store>,
    leaving: Arc<AtomicBool>,
}

impl Health {
    /// The health of a server over this store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            leaving: Arc::default(),
        }
    }

    /// From now on not ready: no new work, please.
    pub fn leave(&self) {
        self.leaving.store(true, Relaxed);
    }

    /// What is to be known of it, where it is ready.
    async fn check(&self) -> Result<Option<&'static str>, ApiError> {
        if self.leaving.load(Relaxed) {
            return Err(not_ready("The server is shutting down."));
        }
        let name = self.store.name();
        match timeout(PATIENCE, self.store.ping()).await {
            Ok(Ok(notice)) => Ok(notice),
            Ok(Err(error)) => {
                Err(not_ready(format!("{name} cannot be reached or written.")).caused_by(error))
            }
            Err(late) => Err(not_ready(format!("{name} does not answer.")).caused_by(late)),
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

fn not_ready(detail: impl Into<Cow<'static, str>>) -> ApiError {
    let retry = http::HeaderValue::from_static("1");
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail)
        .header(header::RETRY_AFTER, retry)
}

pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
}

async fn livez() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

async fn readyz(State(health): State<Health>) -> Result<Json<Value>, ApiError> {
    health.check().await.map(|notice| match notice {
        None => Json(json!({ "status": "ready" })),
        Some(notice) => Json(json!({ "status": "ready", "notice": notice })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{store::SqliteStore, testing::Folder};
    use metaia_realtime::{Limits, log::Retention, sqlite::Options};

    #[tokio::test]
    async fn ready_is_who_can_write_and_does_not_leave() {
        let folder = Folder::new();
        let (path, limits) = (folder.file("t.db"), Limits::default());
        let opened = SqliteStore::open(path, Options::default(), Retention::DISK, &limits).await;
        let store: Arc<dyn Store> = Arc::new(opened.unwrap());
        let health = Health::new(Arc::clone(&store));
        assert!(health.check().await.is_ok());
        store.close().await;
        assert_eq!(health.check().await.unwrap_err().code(), "not_ready");

        let leaving = Health::new(store);
        leaving.leave();
        assert_eq!(leaving.check().await.unwrap_err().status(), 503);
    }
}
