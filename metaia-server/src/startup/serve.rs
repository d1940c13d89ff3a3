//! Builds the server, listens, and serves until a signal.

use std::{error::Error, io, pin::pin, time::Duration};

use tokio::{
    net::TcpListener,
    sync::oneshot,
    time::{sleep, timeout},
};

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

/// For the store, once nobody is served any more. Together with the drain time below the promised 15 s.
const CLOSE: Duration = Duration::from_secs(2);

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
                served = until_a_signal(app, listener, signals, config.drain) => served,
                ended = measuring => ended,
            }
            .map_err(|error| Failure::Serve(error.into()))
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
    Ok((listen(config.port).await?, metrics::listen(config.metrics).await?))
}

/// On all addresses, of both families where the machine has IPv6.
async fn listen(port: u16) -> Result<TcpListener, PortError> {
    let both = TcpListener::bind(("::", port)).await;
    let listener = match both {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => TcpListener::bind(("0.0.0.0", port)).await,
        other => other,
    };
    listener.map_err(|source| PortError { port, source })
}

fn announce(config: &Config, ground: &Description, listener: &TcpListener, metrics: Option<&TcpListener>) {
    let port = listener.local_addr().map_or(config.port, |address| address.port());
    let metrics = metrics.and_then(|listener| listener.local_addr().ok());
    say(&announcement::of(config, ground, port, metrics));
    if !config.unused.is_empty() {
        let names = config.unused.join(", ");
        tracing::warn!("not supported by this version, and ignored: {names}");
    }
}

/// Serves until the listener fails, or all have left after the first signal: at the latest `drain` after it, at once
/// after the second.
async fn until_a_signal(
    app: App,
    listener: TcpListener,
    mut signals: Signals,
    drain: Duration,
) -> io::Result<()> {
    let App { router, realtime, health, .. } = app;
    let (shut, shutting) = oneshot::channel::<()>();
    let shutdown = async move { shutting.await.unwrap_or_default() };
    let mut serving = pin!(metaia_realtime::serve(listener, router, realtime, shutdown));
    let signal = tokio::select! {
        ended = &mut serving => return ended,
        signal = signals.next() => signal,
    };
    tracing::info!("{signal}: finishing");
    health.leave();
    let _ = shut.send(());
    tokio::select! {
        ended = &mut serving => return ended,
        () = sleep(drain) => tracing::warn!("not everybody has left within {drain:?}"),
        signal = signals.next() => tracing::warn!("{signal} again: not waiting any longer"),
    }
    Ok(())
}

async fn close(store: &dyn Store) {
    if timeout(CLOSE, store.close()).await.is_err() {
        tracing::warn!("the store was not closed within {CLOSE:?}; the next start reads its log file");
    }
}
