//! What handlers are given.

use std::sync::Arc;

use axum::extract::FromRef;

use crate::{auth::request_auth::Gate, http::health::Health, services::Services};

/// The state of the router. A handle: `clone` is cheap, and all clones are one state.
#[derive(Debug, Clone)]
pub struct AppState {
    /// Who may come in, and how often.
    pub gate: Arc<Gate>,
    /// Whether this server can do its work.
    pub health: Health,
    /// The use cases.
    pub services: Services,
}

impl FromRef<AppState> for Arc<Gate> {
    fn from_ref(state: &AppState) -> Self {
        Self::clone(&state.gate)
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
