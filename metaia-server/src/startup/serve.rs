//! Builds the server, listens, and serves until a signal arrives.

use std::{error::Error, time::Duration};

use metaia_realtime::{
    planted_faults::{Fault, planted},
    serve::Serve,
};
use tokio::{net::TcpListener, sync::oneshot, time::timeout};

use crate::{
    config::Config,
    http::{health, metrics},
    printer::print_aside,
    startup::{
        app::{self, App},
        banner,
        listen::listen,
        reach::network_address,
        signals::Signals,
        storage::Description,
        telemetry::ProcessLog,
        watchdog::{self, EndLimits},
    },
    store::Store,
};

/// The time to close the store after the last client.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The reason why the server ended.
pub(crate) enum Failure {
    /// The server did not start.
    Start(Box<dyn Error + Send + Sync>),
    /// The server was running and could not go on.
    Serve(Box<dyn Error + Send + Sync>),
}

/// Runs the server from its construction to the closing of the store. `limits` are those of the
/// [watchdog].
pub(crate) async fn serve(
    config: &Config,
    log: &ProcessLog,
    limits: EndLimits,
) -> Result<(), Failure> {
    // First, so that a signal during the start is not lost.
    let signals = Signals::listen().map_err(|error| Failure::Start(error.into()))?;
    watchdog::start(limits).map_err(|error| Failure::Start(error.into()))?;
    let app = app::build(config, log).await.map_err(Failure::Start)?;
    let store = app.store.clone();
    let ended = match Listeners::bind(config).await {
        Ok(listeners) => {
            log.pace.begin();
            serve_on(listeners, app, signals, config).await
        }
        Err(error) => Err(Failure::Start(error)),
    };
    close(&*store).await;
    ended
}

async fn serve_on(
    listeners: Listeners,
    app: App,
    signals: Signals,
    config: &Config,
) -> Result<(), Failure> {
    announce(config, &app.description, &listeners);
    if planted(Fault::StuckRuntime) {
        block_all_workers();
    }
    let metrics = metrics::serve(listeners.metrics, app.metrics.clone());
    let health = app.health.clone();
    tokio::select! {
        () = serve_until_signal(app, listeners.clients, signals, config.drain) => Ok(()),
        ended = metrics => ended.map_err(|error| Failure::Serve(error.into())),
        () = health.inspect_store() => Ok(()),
    }
}

/// The listeners of a server.
struct Listeners {
    /// At least one, all of them on one port.
    clients: Vec<TcpListener>,
    metrics: Option<TcpListener>,
}

impl Listeners {
    async fn bind(config: &Config) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self {
            clients: listen(&config.host, config.port).await?,
            metrics: metrics::listen(config.metrics).await?,
        })
    }
}

fn announce(config: &Config, storage: &Description, listeners: &Listeners) {
    let first = listeners.clients.first();
    let first = first.and_then(|listener| listener.local_addr().ok());
    let port = first.map_or(config.port, |address| address.port());
    let metrics = listeners
        .metrics
        .as_ref()
        .and_then(|listener| listener.local_addr().ok());
    print_aside(banner::text(
        config,
        storage,
        port,
        network_address(),
        metrics,
    ));
}

/// Serves until the first signal, then until the node is empty: for at most `drain` and the 4 s
/// that [`with_drain`](metaia_realtime::serve::Serve::with_drain) names. A second signal ends the
/// wait at once.
async fn serve_until_signal(
    app: App,
    listeners: Vec<TcpListener>,
    mut signals: Signals,
    drain: Duration,
) {
    let App {
        router,
        realtime,
        health,
        ..
    } = app;
    let (stop, stopped) = oneshot::channel::<()>();
    let mut listeners = listeners.into_iter();
    let Some(first) = listeners.next() else {
        return;
    };
    let serving = metaia_realtime::serve(first, router, realtime)
        .with_shutdown(async { stopped.await.unwrap_or_default() })
        .with_drain(drain)
        .with_health_checks(health::PATHS);
    let serving = listeners.fold(serving, Serve::with_listener);
    let mut serving = serving.into_future();
    let signal = tokio::select! {
        () = &mut serving => return,
        signal = signals.next() => signal,
    };
    tracing::info!("{signal}: shutting down");
    // Not ready before the drain begins, so that a load balancer stops sending clients.
    health.leave();
    let _ = stop.send(());
    tokio::select! {
        () = serving => {}
        signal = signals.next() => tracing::warn!("{signal} again: stopping at once"),
    }
}

/// Blocks every worker of the runtime for ever.
fn block_all_workers() {
    let runtime = tokio::runtime::Handle::current();
    // Each worker takes one of them, and one is enough for it.
    for _ in 0..64 {
        runtime.spawn(async {
            loop {
                std::thread::park();
            }
        });
    }
}

async fn close(store: &dyn Store) {
    if timeout(CLOSE_TIMEOUT, store.close()).await.is_err() {
        tracing::warn!(
            "the store was not closed within {CLOSE_TIMEOUT:?}; the next start reads its log file"
        );
    }
}
