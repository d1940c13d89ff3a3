//! The guard of secrets that need no token: it counts the wrong ones that a client sends.

use std::{net::IpAddr, time::Duration};

use metaia_realtime::serve::TrustedProxy;

use super::{
    client_network::ClientNetwork,
    wrong_keys::{KeyKind, WrongKeys},
};

/// Counts wrong API keys and wrong signatures of webhooks for each network, beyond 20 a minute of
/// which they are refused with a time to wait.
#[derive(Debug, Default)]
pub struct KeyGuard {
    wrong_keys: WrongKeys,
    proxies: Vec<TrustedProxy>,
}

impl KeyGuard {
    /// Returns a guard that takes the address of a client from these proxies, and from no other
    /// peer.
    #[must_use]
    pub fn new(proxies: Vec<TrustedProxy>) -> Self {
        Self {
            wrong_keys: WrongKeys::default(),
            proxies,
        }
    }

    /// Counts a wrong key of a client. `forwarded_for` are its headers of that name.
    ///
    /// # Errors
    /// Returns the time to wait if the client's network has sent too many.
    pub(crate) fn count_wrong<'a>(
        &self,
        kind: KeyKind,
        peer: IpAddr,
        forwarded_for: impl DoubleEndedIterator<Item = &'a str>,
    ) -> Result<(), Duration> {
        let network = ClientNetwork::of(peer, forwarded_for, &self.proxies);
        self.wrong_keys.count(kind, network)
    }

    /// Returns how many wrong keys have come, by their kind.
    pub(crate) fn counts(&self) -> [(&'static str, u64); 2] {
        self.wrong_keys.counts()
    }
}
