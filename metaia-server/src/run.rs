//! From the command line to the exit code: 0 after a polite end, 2 where nothing could be started.

use std::{error::Error, process::ExitCode, time::Duration};

use clap::Parser as _;
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};

use crate::{
    announcement,
    app::{self, App},
    cli::{Cli, Command},
    config::{self, Config, Loaded, Sources},
    error::chain,
    printer::{complain, say},
    signals::Signals,
    telemetry,
};

/// Nothing was started.
const REFUSED: u8 = 2;
/// It was running and could not go on.
const FAILED: u8 = 1;

/// For the store, once nobody is served any more. With the drain time and `LAST` below the promised 15 s.
const CLOSE: Duration = Duration::from_secs(2);
/// For the threads of the runtime.
const LAST: Duration = Duration::from_millis(500);

/// Does what the command line says.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(REFUSED));
        }
    };
    let Loaded { config, settings } = config::load(Sources::of_process(cli.variables()));
    if matches!(cli.command, Some(Command::Config)) {
        say(&config::settings(&settings));
    }
    match (config, cli.command) {
        (Err(problems), _) => {
            complain(&config::problems(&problems));
            ExitCode::from(REFUSED)
        }
        (Ok(_), Some(Command::Config)) => ExitCode::SUCCESS,
        (Ok(config), None) => start(&config),
    }
}

fn start(config: &Config) -> ExitCode {
    telemetry::start(&config.log);
    // An error means that there is one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ended = match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let ended = runtime.block_on(serve(config));
            // What still runs has been asked to stop.
            runtime.shutdown_timeout(LAST);
            ended
        }
        Err(error) => Err(Failure::start(error)),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&format!("metaia-server: {}", chain(&*failure.cause)));
            ExitCode::from(failure.code)
        }
    }
}

struct Failure {
    code: u8,
    cause: Box<dyn Error + Send + Sync>,
}

impl Failure {
    fn start(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { code: REFUSED, cause: cause.into() }
    }
}

async fn serve(config: &Config) -> Result<(), Failure> {
    let signals = Signals::listen().map_err(Failure::start)?;
    let app = app::build(config).await.map_err(Failure::start)?;
    let listener = match listen(config.port).await {
        Ok(listener) => listener,
        Err(error) => {
            app.store.close().await;
            return Err(Failure::start(error));
        }
    };
    let port = listener.local_addr().map_or(config.port, |address| address.port());
    say(&announcement::of(config, port));
    warn(config);
    until_a_signal(app, listener, signals, config.drain).await
}

/// A port that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("port {port} cannot be used")]
struct PortError {
    port: u16,
    source: std::io::Error,
}

/// On all addresses, of both families where the machine has IPv6.
async fn listen(port: u16) -> Result<TcpListener, PortError> {
    let both = TcpListener::bind(("::", port)).await;
    let listener = match both {
        Err(error) if error.kind() != std::io::ErrorKind::AddrInUse => {
            TcpListener::bind(("0.0.0.0", port)).await
        }
        other => other,
    };
    listener.map_err(|source| PortError { port, source })
}

fn warn(config: &Config) {
    if !config.unused.is_empty() {
        let names = config.unused.join(", ");
        tracing::warn!("not supported by this version, and ignored: {names}; the embedded store is used");
    }
}

/// Serves until something ends it, then closes the store: at the latest `drain` after the first signal, at once after
/// the second.
async fn until_a_signal(
    app: App,
    listener: TcpListener,
    mut signals: Signals,
    drain: Duration,
) -> Result<(), Failure> {
    let App { router, realtime, health, store } = app;
    let (shut, shutting) = tokio::sync::oneshot::channel::<()>();
    let shutdown = async move { shutting.await.unwrap_or_default() };
    let mut serving = std::pin::pin!(transport(listener, router, realtime, shutdown));
    // Arms: the listener fails; the first signal, after which we finish or are told again not to.
    let ended = tokio::select! {
        ended = &mut serving => ended,
        signal = signals.next() => {
            tracing::info!("{signal}: finishing");
            health.leave();
            let _ = shut.send(());
            tokio::select! {
                ended = &mut serving => ended,
                () = sleep(drain) => { tracing::warn!("not everybody has left within {drain:?}"); Ok(()) }
                signal = signals.next() => { tracing::warn!("{signal} again: not waiting any longer"); Ok(()) }
            }
        }
    };
    if timeout(CLOSE, store.close()).await.is_err() {
        tracing::warn!("the store was not closed within {CLOSE:?}; the next start reads its log file");
    }
    ended.map_err(|error| Failure { code: FAILED, cause: error.into() })
}

async fn transport(
    listener: TcpListener,
    router: axum::Router,
    _realtime: metaia_realtime::Realtime,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}
