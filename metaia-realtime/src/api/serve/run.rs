//! The future returned by `serve`: it serves until the shutdown signal, then drains the node.

use std::{fmt, future::IntoFuture, time::Duration};

use axum::Router;
use futures_util::future::{BoxFuture, FutureExt as _, pending};
use tokio::net::TcpListener;

use crate::{
    Realtime,
    node::TIME_AFTER_DEADLINE,
    transport::http::{Connections, Entrance},
};

/// The time that a node has to empty itself, unless [`Serve::with_drain`] gives another.
const DEFAULT_DRAIN: Duration = Duration::from_secs(9);

/// The time that requests under way have to be answered after that.
const LAST_ANSWERS_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Serves `app` and the Socket.IO clients of `realtime` on `listener`.
///
/// ```
/// use std::time::Duration;
/// use axum::Router;
/// use metaia_realtime::{JwtAuthenticator, Realtime};
/// use tokio::net::TcpListener;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let authenticator = JwtAuthenticator::hs256("a long secret")?;
/// let realtime = Realtime::builder().authenticator(authenticator).build().await?;
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// # let signal = async {};
/// metaia_realtime::serve(listener, Router::new(), realtime)
///     .with_shutdown(signal) // such as tokio::signal::ctrl_c()
///     .with_drain(Duration::from_secs(9))
///     .await;
/// # Ok(())
/// # }
/// ```
///
/// The result is a future; [`with_shutdown`](Serve::with_shutdown) and
/// [`with_drain`](Serve::with_drain) say when and how it ends. Connections that cannot be accepted
/// are logged.
///
/// - It speaks HTTP/1 without TLS. For TLS, put a proxy in front of it; for HTTP/2, see
///   [`GuardedListener`](crate::serve::GuardedListener).
/// - The [layer](Realtime::layer) of `realtime` is added around `app`: the layers of `app`
///   (tracing, CORS) do not see the requests of Socket.IO. The [module](mod@crate::serve) compares
///   the ways to serve.
/// - Handlers of `app` may extract `ConnectInfo<SocketAddr>`.
///
/// # Cancel safety
/// Dropping the future closes the listener; connections go on until their clients leave.
pub fn serve(listener: TcpListener, app: Router, realtime: Realtime) -> Serve {
    Serve {
        listeners: vec![listener],
        app,
        realtime,
        shutdown: pending().boxed(),
        drain: DEFAULT_DRAIN,
        health_checks: Vec::new(),
    }
}

/// A server: see [`serve`].
#[must_use = "futures do nothing unless awaited"]
pub struct Serve {
    listeners: Vec<TcpListener>,
    app: Router,
    realtime: Realtime,
    shutdown: BoxFuture<'static, ()>,
    drain: Duration,
    health_checks: Vec<String>,
}

impl Serve {
    /// The longest time from the deadline of the drain to the end of the server: 4 s.
    pub const TIME_AFTER_DRAIN: Duration = TIME_AFTER_DEADLINE.saturating_add(LAST_ANSWERS_TIMEOUT);

    /// Serves on this listener, too, for example at the address of IPv6. All listeners of a server
    /// share its limits.
    ///
    /// ```no_run
    /// # async fn run(realtime: metaia_realtime::Realtime) -> std::io::Result<()> {
    /// use tokio::net::TcpListener;
    /// let v4 = TcpListener::bind("127.0.0.1:5000").await?;
    /// let v6 = TcpListener::bind("[::1]:5000").await?;
    /// metaia_realtime::serve(v4, axum::Router::new(), realtime).with_listener(v6).await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_listener(mut self, listener: TcpListener) -> Self {
        self.listeners.push(listener);
        self
    }

    /// Answers `GET` and `HEAD` requests for these paths also while there are
    /// [`connections`](crate::Limits::connections) up to the limit, so that a health check tells a
    /// full server from one that is down. All other requests beyond the limit are answered 503.
    ///
    /// A health check beyond the limit has a connection of its own, and sends its first bytes at
    /// once. At most 32 are answered at a time.
    ///
    /// ```no_run
    /// # async fn run(listener: tokio::net::TcpListener, realtime: metaia_realtime::Realtime) {
    /// let app = axum::Router::new().route("/livez", axum::routing::get(|| async { "alive" }));
    /// metaia_realtime::serve(listener, app, realtime).with_health_checks(["/livez"]).await;
    /// # }
    /// ```
    pub fn with_health_checks<P: Into<String>>(
        mut self,
        paths: impl IntoIterator<Item = P>,
    ) -> Self {
        self.health_checks = paths.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the signal after which the server ends: the node is [drained](Realtime::drain) while
    /// new handshakes are answered 503, sessions are closed so that clients reconnect elsewhere,
    /// and requests that are under way are answered. Without it the server runs until the future is
    /// dropped.
    ///
    /// ```no_run
    /// # async fn run(listener: tokio::net::TcpListener, realtime: metaia_realtime::Realtime) {
    /// let signal = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    /// metaia_realtime::serve(listener, axum::Router::new(), realtime).with_shutdown(signal).await;
    /// # }
    /// ```
    pub fn with_shutdown(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.shutdown = signal.boxed();
        self
    }

    /// Sets the time that the sessions of the node have to end after the signal. Default: 9 s.
    ///
    /// Sessions that have not ended by then are ended at once. After it the positions of devices
    /// are saved in any case, the node's tasks end, and the last requests are answered: the server
    /// ends at most [`TIME_AFTER_DRAIN`](Self::TIME_AFTER_DRAIN) later.
    ///
    /// ```no_run
    /// # async fn run(listener: tokio::net::TcpListener, realtime: metaia_realtime::Realtime) {
    /// let drain = std::time::Duration::from_secs(3);
    /// metaia_realtime::serve(listener, axum::Router::new(), realtime).with_drain(drain).await;
    /// # }
    /// ```
    pub fn with_drain(mut self, deadline: Duration) -> Self {
        self.drain = deadline;
        self
    }

    async fn run(self) {
        let app = self.app.layer(self.realtime.layer());
        let node = self.realtime.node();
        let entrance = Entrance::new(self.listeners, node.limits(), node.counters().clone());
        let connections = Connections::new(entrance, node.limits(), self.health_checks);
        {
            let mut serving = std::pin::pin!(connections.serve(&app));
            tokio::select! { biased; () = self.shutdown => {}, () = &mut serving => {} }
            // Clients that are told to reconnect must find the listener answering 503 until all of
            // them have gone.
            tokio::select! { () = self.realtime.drain(self.drain) => {}, () = serving => {} }
        }
        connections.finish(LAST_ANSWERS_TIMEOUT).await;
    }
}

impl IntoFuture for Serve {
    type Output = ();
    type IntoFuture = BoxFuture<'static, ()>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}

impl fmt::Debug for Serve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("listeners", &self.listeners)
            .field("drain", &self.drain)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_after_a_drain_is_the_documented_one() {
        assert_eq!(Serve::TIME_AFTER_DRAIN, Duration::from_secs(4));
    }
}
