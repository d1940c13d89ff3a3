//! Requests that are refused at the gate: counted, listed beside the refusals of connections, and
//! logged.
//!
//! The node lists the last 250 of them, whatever it refuses beside them. One line a second of each
//! code is logged. Neither has the credentials.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use metaia_realtime::{Realtime, auth::ProvenClaims, presence::RefusedRequest};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{
    gate_refusal::{self, GateRefusal},
    log_pace::LogPace,
};

/// The refusals of requests.
#[derive(Default)]
pub(super) struct RequestRefusals {
    /// The node that lists them.
    node: Option<Realtime>,
    counts: [AtomicU64; gate_refusal::COUNT],
    logged: Mutex<LogPace<&'static str>>,
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
        let due = self.logged.lock().due_count(code, Instant::now());
        // Not under the lock: a line may have to wait for the reader of the log.
        if let Some(count) = due {
            let user = user.map(|user| user.to_string());
            let role = role.map(|role| role.to_string());
            tracing::info!(
                code,
                count,
                user,
                role,
                "requests were refused; the last is named"
            );
        }
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
