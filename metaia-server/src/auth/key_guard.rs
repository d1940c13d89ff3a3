//! The guard of what requests prove: it counts, limits and lists credentials that are wrong.

use std::{net::IpAddr, time::Duration};

use metaia_realtime::{
    Realtime, auth::ProvenClaims, presence::RefusedRequest, serve::TrustedProxy,
};

use super::{
    client_network::ClientNetwork,
    gate_refusal::GateRefusal,
    request_refusals::RequestRefusals,
    wrong_keys::{KeyKind, WrongKeys},
};

/// Counts wrong API keys and wrong signatures of webhooks for each network, beyond 20 a minute of
/// which they are refused with a time to wait. Lists them, and what else is refused at the gate,
/// among the refusals of the node.
#[derive(Debug, Default)]
pub struct KeyGuard {
    wrong_keys: WrongKeys,
    proxies: Vec<TrustedProxy>,
    refusals: RequestRefusals,
}

/// The client of a refused request, as it describes itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RequestClient<'a> {
    pub(crate) origin: Option<&'a [u8]>,
    pub(crate) user_agent: Option<&'a [u8]>,
}

impl KeyGuard {
    /// Returns a guard that takes the address of a client from these proxies, and from no other
    /// peer.
    #[must_use]
    pub fn new(proxies: Vec<TrustedProxy>) -> Self {
        Self {
            proxies,
            ..Self::default()
        }
    }

    /// Lists what is refused among the refusals of this node.
    #[must_use]
    pub fn listed_by(mut self, node: Realtime) -> Self {
        self.refusals = RequestRefusals::listed_by(node);
        self
    }

    /// Counts and lists a wrong key of a client. `forwarded_for` are its headers of that name.
    ///
    /// # Errors
    /// Returns the time to wait if the client's network has sent too many.
    pub(crate) fn count_wrong<'a>(
        &self,
        kind: KeyKind,
        client: RequestClient<'_>,
        peer: IpAddr,
        forwarded_for: impl DoubleEndedIterator<Item = &'a str>,
    ) -> Result<(), Duration> {
        let claims = ProvenClaims::default();
        self.refusals.list(client.refused(kind.code(), claims));
        let network = ClientNetwork::of(peer, forwarded_for, &self.proxies);
        self.wrong_keys.count(kind, network)
    }

    /// Counts, lists and logs a refused request. `claims` are what its credentials prove all the
    /// same.
    pub(crate) fn refuse(
        &self,
        refusal: GateRefusal,
        client: RequestClient<'_>,
        claims: ProvenClaims,
    ) {
        let refused = client.refused(refusal.code(), claims);
        self.refusals.refuse(refusal, refused);
    }

    /// Returns how many wrong keys have come, by their kind.
    pub(crate) fn counts(&self) -> [(&'static str, u64); 2] {
        self.wrong_keys.counts()
    }

    /// Returns how many requests were refused, by their code.
    pub(crate) fn refused_requests(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.refusals.counts()
    }
}

impl<'a> RequestClient<'a> {
    fn refused(self, code: &'static str, claims: ProvenClaims) -> RefusedRequest<'a> {
        RefusedRequest {
            code,
            origin: self.origin,
            user_agent: self.user_agent,
            claims,
        }
    }
}
