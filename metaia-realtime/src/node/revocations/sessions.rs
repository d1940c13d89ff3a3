//! The sessions of a node, and the clients that connect to it: who is authenticated, and what ends
//! when a token is revoked.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use crate::{
    Identity,
    auth::{AuthError, Credentials, ProvenClaims},
    failure_log::FailureLog,
    node::Node,
    revocation::{Revocation, RevocationError},
    session::{EndReason, Session},
};

/// The time between two reads of a store that others write to. A revocation ends the sessions of
/// every node within this time, and that of a read.
const READ_INTERVAL: Duration = Duration::from_secs(1);

/// Sessions that are visited before other tasks may have the thread.
const SESSIONS_PER_YIELD: usize = 256;

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
        self.end_revoked(&new).await.log();
        Ok(standing)
    }

    /// Ends the sessions that new records of the view are of.
    async fn end_revoked(&self, new: &[Revocation]) -> RevokedSum {
        let mut sum = RevokedSum {
            records: new.len(),
            ended: 0,
        };
        for sessions in self.candidates(new).chunks(SESSIONS_PER_YIELD) {
            for session in sessions {
                if self.is_revoked(session) {
                    self.end(session, EndReason::Revoked);
                    sum.ended += 1;
                }
            }
            tokio::task::yield_now().await;
        }
        sum
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

/// The sum of the records that were new, and of the sessions that they ended.
#[derive(Default)]
struct RevokedSum {
    records: usize,
    ended: usize,
}

impl RevokedSum {
    fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.ended += other.ended;
    }

    fn log(&self) {
        if self.records > 0 {
            tracing::info!(
                records = self.records,
                ended = self.ended,
                "tokens were revoked"
            );
        }
    }
}

/// Reads the revocations of other nodes until the node stops. If there are no others, it ends as
/// soon as the store was read.
pub(in crate::node) async fn run(node: Arc<Node>) {
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
            read = read_pass(&node) => read,
        };
        log_if_changed(&mut failures, &read);
    }
}

/// Reads what has changed, or the rest of it, and ends the sessions of each page at once.
async fn read_pass(node: &Node) -> Result<(), RevocationError> {
    let mut sum = RevokedSum::default();
    let read = loop {
        match node.revocations.read_page().await {
            Ok(page) => {
                sum.add(&node.end_revoked(&page.new).await);
                if !page.has_more {
                    break Ok(());
                }
            }
            Err(error) => break Err(error),
        }
    };
    sum.log();
    read
}

/// Logs one line when the revocations cannot be read any more, and one when they can be again.
fn log_if_changed(failures: &mut FailureLog, read: &Result<(), RevocationError>) {
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
