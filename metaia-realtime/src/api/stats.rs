//! The counters of a node and the clients that it refused: for metrics, and for those who look up
//! why a client does not connect.

use crate::{
    NodeStats, Realtime, doorbell,
    presence::{RefusalView, RefusedRequest},
};

/// # Counters and refusals
impl Realtime {
    /// Returns the counters of doorbell frames since the node's start.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// assert_eq!(realtime.doorbell_counts().received, 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn doorbell_counts(&self) -> doorbell::Counts {
        self.node().doorbell().counts()
    }

    /// Returns whether the doorbell is connected; `false` without a doorbell.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// assert!(!realtime.doorbell_connected());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn doorbell_connected(&self) -> bool {
        self.node().doorbell().is_connected()
    }

    /// Returns what this node has done since it began, and its state now. The counts are of this
    /// node alone, and start at 0 with every [`build`](crate::RealtimeBuilder::build).
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// assert_eq!(realtime.stats().appended, 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn stats(&self) -> NodeStats {
        NodeStats::from_node(self.node())
    }

    /// Returns why clients did not connect to this node of late: of its last 1,000 refusals, those
    /// that occurred at `since` (ms since the Unix epoch) or later, newest first. At most 250 of
    /// the 1,000 are of requests (see [`list_refused_request`](Self::list_refused_request)). The
    /// list is of this node alone, and begins empty with every
    /// [`build`](crate::RealtimeBuilder::build).
    ///
    /// Refused joins and events are not in it: they are answered to a client that has connected.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// for refusal in realtime.refusals(0) {
    ///     println!("{} × {} {:?}", refusal.count, refusal.code, refusal.user_agent);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn refusals(&self, since: i64) -> Vec<RefusalView> {
        self.node().refusals(since)
    }

    /// Lists a request that the embedder's own interface refused for its credentials, among the
    /// [`refusals`](Self::refusals), with the transport `rest`. The last 250 of them are kept,
    /// whatever else is refused; and whatever number there is, the last 750 refused connections.
    /// Equal ones of which each comes less than a second after the one before take one place.
    ///
    /// It neither waits nor logs, and holds a lock for a search among 250 numbers.
    ///
    /// ```
    /// # use metaia_realtime::{JwtAuthenticator, Realtime, presence::RefusedRequest};
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
    /// # let realtime = Realtime::builder().authenticator(authenticator).build().await?;
    /// realtime.list_refused_request(RefusedRequest {
    ///     code: "token_expired",
    ///     user_agent: Some(b"Dart/3.1 (dart:io)"),
    ///     ..RefusedRequest::default()
    /// });
    /// assert_eq!(realtime.refusals(0)[0].transport, Some("rest"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_refused_request(&self, request: RefusedRequest<'_>) {
        self.node().list_refused_request(request);
    }

    /// Returns what this node holds for its clients now, for tests that nothing is left behind.
    #[doc(hidden)]
    #[must_use]
    pub fn census(&self) -> Census {
        let registry = self.node().registry();
        let sessions = registry.all();
        let (rooms, users, joins) = registry.sizes();
        Census {
            sessions: sessions.len(),
            rooms,
            users,
            joins,
            links: self.links(),
            devices: self.node().devices().len(),
            most_waiting: sessions
                .iter()
                .map(|session| session.waiting())
                .max()
                .unwrap_or(0),
        }
    }
}

/// The sizes of a node's tables: see [`Realtime::census`].
#[doc(hidden)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Census {
    /// Sessions.
    pub sessions: usize,
    /// Rooms with sessions in them.
    pub rooms: usize,
    /// Users with sessions.
    pub users: usize,
    /// Orders whose joins are being decided.
    pub joins: usize,
    /// Clients whose connection began with polling.
    pub links: usize,
    /// Clients whose positions are in memory.
    pub devices: usize,
    /// The largest number of packets that wait for one client.
    pub most_waiting: usize,
}
