//! `rt:refresh`: the session goes on with another token of its user.
//!
//! The request is handled in its turn, and the client's later events wait for it: another refresh,
//! too. It goes through these stages:
//!
//! 1. The authenticator proves the token. It has as long as for a CONNECT
//!    ([`Limits::unauthenticated`](crate::Limits::unauthenticated)).
//! 2. If the client is recognised by its token, its position is stored under the new one.
//! 3. The identity is replaced. If the role is another one, the session is in its room from here
//!    on, in that of the old role no more, and access to its order rooms is decided again.
//! 4. When all of that is decided, the client is answered.
//!
//! At the edges: if the first two stages fail, the session is as it was before, and so is its
//! token. A token that expires meanwhile ends the session.

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::{
    EndReason, Session,
    identity::SessionIdentity,
    retry::retry_devices,
    wire::{self, REFRESH},
};
use crate::{
    Identity, Role, Room,
    auth::{AuthError, Credentials},
    device::{DeviceError, DeviceKey},
    node::{DeviceClaim, JoinedKey, Node},
    values::{codes, time},
};

codes! {
    /// The reason why a token is refused that a session was to go on with.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum RefreshRefusal {
        Unauthorized = "unauthorized",
        Expired = "token_expired",
        Revoked = "token_revoked",
        /// It is another user's, or its role is unknown.
        Forbidden = "forbidden",
        Malformed = "malformed",
        /// The user has caused too many decisions on access.
        RateLimited = "rate_limited",
        /// The authenticator cannot decide, or the position of the client cannot be stored.
        Unavailable = "unavailable",
    }
}

impl From<AuthError> for RefreshRefusal {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Unauthorized => Self::Unauthorized,
            AuthError::Expired => Self::Expired,
            AuthError::Revoked => Self::Revoked,
            AuthError::Forbidden => Self::Forbidden,
            AuthError::Unavailable => Self::Unavailable,
        }
    }
}

/// The argument of the event.
#[derive(Deserialize)]
struct RefreshArgument {
    token: String,
}

impl RefreshArgument {
    fn parse(argument: &RawValue) -> Result<Self, RefreshRefusal> {
        let argument: Self =
            serde_json::from_str(argument.get()).map_err(|_| RefreshRefusal::Malformed)?;
        if argument.token.is_empty() {
            return Err(RefreshRefusal::Malformed);
        }
        Ok(argument)
    }
}

impl Session {
    pub(super) async fn handle_refresh(&self, node: &Node, argument: &RawValue, ack: Option<i64>) {
        match self.refresh(node, argument).await {
            Ok(expires_at) => {
                self.counters.refreshes.add(1);
                self.acknowledge(ack, wire::refreshed(expires_at));
            }
            Err(refusal) => {
                let transport = self.port.transport();
                self.counters
                    .refuse_refresh(refusal, transport, &self.identity().who);
                self.refuse(REFRESH, refusal.code(), None, ack);
            }
        }
    }

    /// Returns when the new token expires, in ms since the Unix epoch.
    async fn refresh(
        &self,
        node: &Node,
        argument: &RawValue,
    ) -> Result<Option<i64>, RefreshRefusal> {
        let argument = RefreshArgument::parse(argument)?;
        let who = self.prove(node, &argument.token).await?;
        self.charge_decisions(node, who.role)?;
        let expires_at = who.expires_at;
        let device_key = node.devices().key(&who, self.device.as_ref());
        let next = SessionIdentity::new(who, device_key, time::unix_ms());
        self.go_on_with(node, next).await?;
        self.awaited_decisions().await;
        Ok(expires_at)
    }

    /// Returns the identity that the token proves, which is one of the session's user.
    async fn prove(&self, node: &Node, token: &str) -> Result<Identity, RefreshRefusal> {
        let authenticating = node.authenticate(Credentials::bearer(Some(token)));
        let who = timeout(node.limits().unauthenticated, authenticating)
            .await
            .map_err(|_| RefreshRefusal::Unavailable)??;
        if who.user != self.user {
            return Err(RefreshRefusal::Forbidden);
        }
        Ok(who)
    }

    /// Charges the user for the decisions that a change of the role asks for.
    fn charge_decisions(&self, node: &Node, role: Role) -> Result<(), RefreshRefusal> {
        if role == self.role() {
            return Ok(());
        }
        let budget = node.decision_budget();
        for _ in 0..self.order_count() {
            if !budget.charge(&self.user) {
                return Err(RefreshRefusal::RateLimited);
            }
        }
        Ok(())
    }

    fn order_count(&self) -> usize {
        self.state().rooms().filter_map(Room::order).count()
    }

    /// Lets the session go on with this identity.
    async fn go_on_with(&self, node: &Node, next: SessionIdentity) -> Result<(), RefreshRefusal> {
        let key = next.device_key.clone();
        let joined = match &key {
            Some(key) if self.identity().device_key.as_ref() != Some(key) => {
                self.store_under(node, key).await?
            }
            _ => None,
        };
        let before = self.role();
        let after = next.who.role;
        next.follow(&self.identity());
        node.devices().move_session(self, next, joined);
        // A session that ended before it was under the new key had nothing to give back there.
        if self.ended_by().is_some() {
            node.devices().end(self);
        }
        // After the session has the new identity: who revokes its token finds it, or has done so
        // before.
        if node.is_revoked(self) {
            node.end(self, EndReason::Revoked);
        }
        if before != after {
            self.change_role(node, before, after);
        }
        node.announce_change(self);
        // The task looks at the new token, and begins to decide.
        self.wake();
        Ok(())
    }

    /// Stores the position of the client under another key, too. From then on the client may rely
    /// on the new token, even if the server is killed before it answers.
    async fn store_under<'a>(
        &'a self,
        node: &'a Node,
        key: &'a DeviceKey,
    ) -> Result<Option<JoinedKey<'a>>, RefreshRefusal> {
        let stored = async {
            let claim = retry_devices(|| node.devices().claim(self, key)).await?;
            let joined = claim.map(DeviceClaim::join);
            retry_devices(|| node.devices().wait_until_stored()).await?;
            Ok(joined)
        };
        stored.await.map_err(|error: DeviceError| {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(session = %self.id, error, "a token cannot be refreshed");
            RefreshRefusal::Unavailable
        })
    }

    /// Leaves the room of one role for that of another: between two entries of the log.
    pub(super) fn change_role(&self, node: &Node, before: Role, after: Role) {
        node.registry().change_role(self, before, after, || {
            let mut state = self.state();
            let head = node.window().head();
            let dispatched = node.window().dispatched();
            state.change_role(before, after, head.n(), dispatched.n());
        });
    }

    /// Waits until all access that the last change of the role asked for is decided.
    async fn awaited_decisions(&self) {
        loop {
            // Before the check: a decision between the two is not missed.
            let decided = self.decided.notified();
            let is_waiting = self.state().awaits_decisions();
            if !is_waiting {
                return;
            }
            decided.await;
        }
    }
}
