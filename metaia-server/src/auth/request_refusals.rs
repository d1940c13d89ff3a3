//! Requests that are refused at the gate: counted, listed beside the refusals of connections, and
//! logged.
//!
//! The node lists the last 250 of them, whatever it refuses beside them. Neither the list nor the
//! log has the credentials.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use metaia_realtime::{Realtime, auth::ProvenClaims, presence::RefusedRequest};

use super::gate_refusal::{self, GateRefusal};

/// The refusals of requests.
#[derive(Default)]
pub(super) struct RequestRefusals {
    /// The node that lists them.
    node: Option<Realtime>,
    counts: [AtomicU64; gate_refusal::COUNT],
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

    /// Counts, lists and logs a request. `refused` has the code of the refusal.
    pub(super) fn refuse(&self, refusal: GateRefusal, refused: RefusedRequest<'_>) {
        let place = GateRefusal::all().position(|it| it == refusal);
        if let Some(count) = place.and_then(|place| self.counts.get(place)) {
            count.fetch_add(1, Relaxed);
        }
        let ProvenClaims { user, role } = refused.claims.clone();
        let code = refusal.code();
        self.list(refused);
        let user = user.as_ref().map(tracing::field::display);
        let role = role.as_ref().map(tracing::field::display);
        tracing::info!(code, user, role, "a request was refused");
    }

    /// Returns how many requests were refused, by their code.
    pub(super) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.counts.iter().map(|count| count.load(Relaxed));
        GateRefusal::all().map(GateRefusal::code).zip(counts)
    }
}

impl fmt::Debug for RequestRefusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestRefusals").finish_non_exhaustive()
    }
}
