//! Settings of a [`RealtimeBuilder`]: from where and how clients may connect.

use super::RealtimeBuilder;
use crate::transport::{Transports, TrustedProxy};

impl RealtimeBuilder {
    /// Sets the origins (`scheme://host[:port]`) that browsers may connect from. Default: any. The
    /// handshake of another origin receives 403. [`build`](Self::build) refuses what is not an
    /// origin.
    ///
    /// Apps outside browsers send no `Origin`, or that of the server's own address, and are always
    /// let in. Behind a proxy that ends TLS, the server learns its own address from the proxy: see
    /// [`trusted_proxies`](Self::trusted_proxies).
    ///
    /// ```
    /// # use metaia_realtime::Realtime;
    /// let builder = Realtime::builder().allowed_origins(["https://app.metaia.example"]);
    /// ```
    pub fn allowed_origins(mut self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.allowed_origins = Some(origins.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the proxies before the server. Default: none. Their `X-Forwarded-Proto` and
    /// `X-Forwarded-Host` say under which address a client reached the server; those of other peers
    /// are ignored.
    ///
    /// List proxies that overwrite both headers or never pass them on: a proxy that passes on what
    /// a client sent lets the client choose. If your server is neither started by
    /// [`serve`](fn@crate::serve) nor has a [`GuardedListener`](crate::serve::GuardedListener), put
    /// a `ConnectInfo<SocketAddr>` into the extensions of its requests; otherwise no peer is known.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use metaia_realtime::Realtime;
    /// let proxies = ["127.0.0.1".parse()?, "fd00::/8".parse()?];
    /// let builder = Realtime::builder().trusted_proxies(proxies);
    /// # Ok(())
    /// # }
    /// ```
    pub fn trusted_proxies(mut self, proxies: impl IntoIterator<Item = TrustedProxy>) -> Self {
        self.settings.trusted_proxies = proxies.into_iter().collect();
        self
    }

    /// Sets which transports clients may use. Default: all.
    ///
    /// ```
    /// # use metaia_realtime::{Realtime, serve::Transports};
    /// let builder = Realtime::builder().transports(Transports::WebSocketOnly);
    /// ```
    pub fn transports(mut self, transports: Transports) -> Self {
        self.settings.transports = transports;
        self
    }

    /// Sets whether a token may also come as `?token=` of the handshake. Default: `false`, since
    /// addresses end up in logs.
    ///
    /// ```
    /// let builder = metaia_realtime::Realtime::builder().token_in_query(true);
    /// ```
    pub fn token_in_query(mut self, allowed: bool) -> Self {
        self.settings.token_in_query = allowed;
        self
    }
}
