//! Requests that are refused for their credentials: counted, listed beside the refusals of
//! connections, and logged.
//!
//! A list of the last 250 is kept by the node, apart from that of connections. Neither the list nor
//! the log has the credentials.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use metaia_realtime::{
    Realtime,
    auth::{AuthError, ProvenClaims},
    presence::RefusedRequest,
};

/// The refusals of requests.
#[derive(Default)]
pub(super) struct RequestRefusals {
    /// The node that lists them.
    node: Option<Realtime>,
    counts: [AtomicU64; AuthError::ALL.len()],
}

impl RequestRefusals {
    /// Returns refusals that this node lists.
    pub(super) fn listed_by(node: Realtime) -> Self {
        Self {
            node: Some(node),
            ..Self::default()
        }
    }

    /// Lists a refusal.
    pub(super) fn list(&self, refused: RefusedRequest<'_>) {
        if let Some(node) = &self.node {
            node.list_refused_request(refused);
        }
    }

    /// Counts, lists and logs a refused token. `refused` has its code and its claims besides.
    pub(super) fn refuse_token(&self, error: AuthError, refused: RefusedRequest<'_>) {
        let place = AuthError::ALL.iter().position(|it| *it == error);
        if let Some(count) = place.and_then(|place| self.counts.get(place)) {
            count.fetch_add(1, Relaxed);
        }
        let ProvenClaims { user, role } = refused.claims.clone();
        let code = error.code();
        self.list(refused);
        let user = user.as_ref().map(tracing::field::display);
        let role = role.as_ref().map(tracing::field::display);
        tracing::info!(code, user, role, "a request was refused");
    }

    /// Returns how many tokens were refused, by their code.
    pub(super) fn token_counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.counts.iter().map(|count| count.load(Relaxed));
        AuthError::ALL.iter().map(|error| error.code()).zip(counts)
    }
}

impl fmt::Debug for RequestRefusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestRefusals").finish_non_exhaustive()
    }
}
