//! Counts and lists each refusal, in one call.

use super::{AdmissionRefusal, ClientDescription, ProtocolRefusal};
use crate::{
    Identity,
    auth::{AuthError, ProvenClaims},
    node::{Counters, HandshakeRefusal, TransportKind},
    presence::{RefusalView, RefusedRequest},
    session::{REFRESH, RefreshRefusal},
    values::time,
};

/// The transport of requests to the embedder's own interface.
const REQUEST: &str = "rest";

impl Counters {
    /// Counts and lists a handshake that the node refuses.
    pub(crate) fn refuse_handshake(&self, refusal: HandshakeRefusal, client: ClientDescription) {
        self.handshakes_refused.add(refusal);
        self.list(refusal.code(), client, ProvenClaims::default());
    }

    /// Counts, lists and logs a client that was not authenticated.
    pub(crate) fn refuse_connect(
        &self,
        error: AuthError,
        client: ClientDescription,
        claims: ProvenClaims,
    ) {
        self.connects_refused.add(error);
        tracing::info!(code = error.code(), "connection refused");
        self.list(error.code(), client, claims);
    }

    /// Counts, lists and logs a client of which the node takes no session.
    pub(crate) fn refuse_session(
        &self,
        refusal: AdmissionRefusal,
        client: ClientDescription,
        identity: Option<&Identity>,
    ) {
        self.connects_refused.add(AuthError::Unavailable);
        tracing::info!(code = refusal.code(), "connection refused");
        let claims = ProvenClaims {
            user: identity.map(|identity| identity.user.clone()),
            role: identity.map(|identity| identity.role),
        };
        self.list(refusal.code(), client, claims);
    }

    /// Counts, lists and logs a token that a session of `identity` was not to go on with.
    pub(crate) fn refuse_refresh(
        &self,
        refusal: RefreshRefusal,
        transport: Option<TransportKind>,
        identity: &Identity,
    ) {
        self.refreshes_refused.add(refusal);
        tracing::info!(user = %identity.user, code = refusal.code(), "token not refreshed");
        let client = transport.map(ClientDescription::over).unwrap_or_default();
        let claims = ProvenClaims {
            user: Some(identity.user.clone()),
            role: Some(identity.role),
        };
        let refused = listed(refusal.code(), client, claims);
        self.refusals.add(RefusalView {
            event: Some(REFRESH),
            ..refused
        });
    }

    /// Lists a client that does not speak the protocol.
    pub(crate) fn refuse_protocol(&self, refusal: ProtocolRefusal, client: ClientDescription) {
        self.list(refusal.code(), client, ProvenClaims::default());
    }

    /// Lists a request that the embedder refused. It counts and logs them itself.
    pub(crate) fn refuse_request(&self, request: RefusedRequest<'_>) {
        let client = ClientDescription::new(None, request.origin, request.user_agent);
        let refused = listed(request.code, client, request.claims);
        self.refusals.add_request(RefusalView {
            transport: Some(REQUEST),
            ..refused
        });
    }

    fn list(&self, code: &'static str, client: ClientDescription, claims: ProvenClaims) {
        self.refusals.add(listed(code, client, claims));
    }
}

/// Returns a refusal of a connection as it is listed.
fn listed(code: &'static str, client: ClientDescription, claims: ProvenClaims) -> RefusalView {
    let now = time::unix_ms();
    RefusalView {
        at: now,
        last_at: now,
        count: 1,
        code,
        event: None,
        transport: client.transport.map(|transport| transport.code()),
        origin: client.shown_origin(),
        user: claims.user,
        role: claims.role,
        user_agent: client.shown_user_agent(),
    }
}
