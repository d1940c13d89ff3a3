//! Builds the server, listens, and serves until a signal.

use std::{error::Error, io, time::Duration};

use tokio::{net::TcpListener, sync::oneshot, time::timeout};

use crate::{
    config::Config,
    http::metrics,
    printer::say,
    startup::{
        announcement,
        app::{self, App},
        signals::Signals,
        storage::Description,
    },
    store::Store,
};

/// The time to close the store, once no client is served any more: 9 s of drain, 4 s to store and
/// answer, and these 2 s are the promised 15.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Why it ended.
pub(crate) enum Failure {
    /// It was not started.
    Start(Box<dyn Error + Send + Sync>),
    /// It was running and could not go on.
    Serve(Box<dyn Error + Send + Sync>),
}

/// A port that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("port {port} cannot be used")]
struct PortError {
    port: u16,
    source: io::Error,
}

/// The server's whole life.
pub(crate) async fn serve(config: &Config) -> Result<(), Failure> {
    let signals = Signals::listen().map_err(|error| Failure::Start(error.into()))?;
    let app = app::build(config).await.map_err(Failure::Start)?;
    let store = app.store.clone();
    let ended = match listen_twice(config).await {
        Ok((listener, metrics)) => {
            announce(config, &app.described, &listener, metrics.as_ref());
            let measuring = metrics::serve(metrics, app.metrics.clone());
            tokio::select! {
                () = until_a_signal(app, listener, signals, config.drain) => Ok(()),
                ended = measuring => ended.map_err(|error| Failure::Serve(error.into())),
            }
        }
        Err(error) => Err(Failure::Start(error)),
    };
    close(&*store).await;
    ended
}

/// For clients, and for the monitoring.
async fn listen_twice(
    config: &Config,
) -> Result<(TcpListener, Option<TcpListener>), Box<dyn Error + Send + Sync>> {
    Ok((
        listen(config.port).await?,
        metrics::listen(config.metrics).await?,
    ))
}

/// On all addresses, of both families where the machine has IPv6.
async fn listen(port: u16) -> Result<TcpListener, PortError> {
    let both = TcpListener::bind(("::", port)).await;
    let listener = match both {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind(("0.0.0.0", port)).await
        }
        other => other,
    };
    listener.map_err(|source| PortError { port, source })
}

fn announce(
    config: &Config,
    ground: &Description,
    listener: &TcpListener,
    metrics: Option<&TcpListener>,
) {
    let port = listener
        .local_addr()
        .map_or(config.port, |address| address.port());
    let metrics = metrics.and_then(|listener| listener.local_addr().ok());
    say(&announcement::of(config, ground, port, metrics));
    if !config.unused.is_empty() {
        let names = config.unused.join(", ");
        tracing::warn!("not supported by this version, and ignored: {names}");
    }
}

/// Serves until the first signal, and then until the node is empty: at most `drain` and the 4 s
/// that [`with_drain`](metaia_realtime::serve::Serve::with_drain) names. A second signal ends it at
/// once.
async fn until_a_signal(app: App, listener: TcpListener, mut signals: Signals, drain: Duration) {
    let App {
        router,
        realtime,
        health,
        ..
    } = app;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = metaia_realtime::serve(listener, router, realtime)
        .with_shutdown(async { stopped.await.unwrap_or_default() })
        .with_drain(drain);
    let mut serving = serving.into_future();
    let signal = tokio::select! {
        () = &mut serving => return,
        signal = signals.next() => signal,
    };
    tracing::info!("{signal}: finishing");
    health.leave();
    let _ = stop.send(());
    tokio::select! {
        () = serving => {}
        signal = signals.next() => tracing::warn!("{signal} again: not waiting any longer"),
    }
}

async fn close(store: &dyn Store) {
    if timeout(CLOSE_TIMEOUT, store.close()).await.is_err() {
        tracing::warn!(
            "the store was not closed within {CLOSE_TIMEOUT:?}; the next start reads its log file"
        );
    }
}
