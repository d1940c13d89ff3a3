//! Wrong API keys and wrong signatures of webhooks, counted for each network that sends them.
//!
//! A network may send 20 of a kind in a minute, which begins with the first. What it sends beyond
//! that is refused with the rest of the minute as the time to wait. A right key is never counted,
//! so that it is never slowed, also not beside wrong ones of the same network.
//!
//! At most 10,000 networks are remembered, each for a minute. While there are more, those that find
//! no place are counted together, as one network: they are refused earlier than they would be
//! alone, and their right keys pass as always.

use std::{
    collections::HashMap,
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::client_network::ClientNetwork;

/// The wrong keys of a network in one window.
const MAX_WRONG: u32 = 20;

/// The time in which they are counted, from the first on.
const WINDOW: Duration = Duration::from_secs(60);

/// The networks that are remembered.
const MAX_NETWORKS: usize = 10_000;

/// The pause between two searches for windows that are over.
const PAUSE: Duration = Duration::from_secs(1);

/// The kinds of secrets that a request without a token proves to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum KeyKind {
    ApiKey,
    WebhookSignature,
}

/// The wrong keys of all networks.
#[derive(Default)]
pub(crate) struct WrongKeys {
    state: Mutex<State>,
    api_keys: AtomicU64,
    webhook_signatures: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    windows: HashMap<(KeyKind, ClientNetwork), Window>,
    /// The windows of the networks that found no place.
    others: HashMap<KeyKind, Window>,
    searched: Option<Instant>,
}

#[derive(Debug)]
struct Window {
    until: Instant,
    wrong: u32,
}

impl KeyKind {
    /// Returns the code in the list of refusals.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::ApiKey => "wrong_api_key",
            Self::WebhookSignature => "wrong_webhook_signature",
        }
    }

    /// Returns the name for metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::WebhookSignature => "webhook_signature",
        }
    }
}

impl WrongKeys {
    /// Counts a wrong key.
    ///
    /// # Errors
    /// Returns the time to wait if the network has sent too many.
    pub(super) fn count(&self, kind: KeyKind, network: ClientNetwork) -> Result<(), Duration> {
        let now = Instant::now();
        self.counter(kind).fetch_add(1, Relaxed);
        tracing::warn!(code = kind.code(), %network, "a wrong key was refused");
        self.state.lock().window(kind, network, now).count(now)
    }

    /// Returns how many wrong keys have come, by their kind.
    pub(crate) fn counts(&self) -> [(&'static str, u64); 2] {
        [KeyKind::ApiKey, KeyKind::WebhookSignature]
            .map(|kind| (kind.as_str(), self.counter(kind).load(Relaxed)))
    }

    const fn counter(&self, kind: KeyKind) -> &AtomicU64 {
        match kind {
            KeyKind::ApiKey => &self.api_keys,
            KeyKind::WebhookSignature => &self.webhook_signatures,
        }
    }
}

impl fmt::Debug for WrongKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrongKeys").finish_non_exhaustive()
    }
}

impl State {
    /// Returns the window of a network, or that of all networks without a place.
    fn window(&mut self, kind: KeyKind, network: ClientNetwork, now: Instant) -> &mut Window {
        let key = (kind, network);
        if !self.windows.contains_key(&key) && self.windows.len() >= MAX_NETWORKS {
            self.forget(now);
        }
        let has_place = self.windows.contains_key(&key) || self.windows.len() < MAX_NETWORKS;
        if has_place {
            self.windows.entry(key).or_insert(Window::new(now))
        } else {
            self.others.entry(kind).or_insert(Window::new(now))
        }
    }

    /// Forgets the windows that are over. It looks at all of them, and so not for every wrong key.
    fn forget(&mut self, now: Instant) {
        let is_due = self.searched.is_none_or(|at| now >= at + PAUSE);
        if is_due {
            self.searched = Some(now);
            self.windows.retain(|_, window| window.until > now);
        }
    }
}

impl Window {
    fn new(now: Instant) -> Self {
        Self {
            until: now + WINDOW,
            wrong: 0,
        }
    }

    fn count(&mut self, now: Instant) -> Result<(), Duration> {
        if now >= self.until {
            *self = Self::new(now);
        }
        if self.wrong >= MAX_WRONG {
            return Err(self.until - now);
        }
        self.wrong += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use tokio::time::advance;

    use super::*;

    fn network(number: u32) -> ClientNetwork {
        let address = IpAddr::V4(Ipv4Addr::from_bits(number));
        ClientNetwork::of(address, std::iter::empty(), &[])
    }

    /// Sends wrong API keys. Returns how many were within the limit.
    fn within_limit(keys: &WrongKeys, network: ClientNetwork, count: u32) -> usize {
        let counted = (0..count).map(|_| keys.count(KeyKind::ApiKey, network));
        counted.filter(Result::is_ok).count()
    }

    #[tokio::test(start_paused = true)]
    async fn twenty_a_minute_are_within_the_limit() {
        let keys = WrongKeys::default();
        assert_eq!(within_limit(&keys, network(1), 50), 20);
        assert_eq!(within_limit(&keys, network(2), 20), 20);
        let other_kind = keys.count(KeyKind::WebhookSignature, network(1));
        assert_eq!(other_kind, Ok(()));
        advance(Duration::from_secs(59)).await;
        let wait = keys.count(KeyKind::ApiKey, network(1));
        assert_eq!(wait, Err(Duration::from_secs(1)));
        advance(Duration::from_secs(1)).await;
        assert_eq!(within_limit(&keys, network(1), 50), 20);
        assert_eq!(keys.counts(), [("api_key", 121), ("webhook_signature", 1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_and_networks_without_a_place_count_together() {
        let keys = WrongKeys::default();
        for number in 0..2 * u32::try_from(MAX_NETWORKS).unwrap() {
            let _ = keys.count(KeyKind::ApiKey, network(number));
        }
        assert_eq!(keys.state.lock().windows.len(), MAX_NETWORKS);
        assert_eq!(within_limit(&keys, network(u32::MAX), 1), 0);
        assert_eq!(within_limit(&keys, network(0), 50), 19);
        advance(WINDOW).await;
        assert_eq!(within_limit(&keys, network(u32::MAX), 50), 20);
        assert_eq!(keys.state.lock().windows.len(), 1);
    }
}
