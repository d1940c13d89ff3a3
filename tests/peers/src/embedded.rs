//! The library in a program of its own, through its public API.

use axum::Router;
use metaia_realtime::{
    EventLog, JwtAuthenticator, Limits, MemoryLog, Realtime, Role, SqliteLog, UserId,
    log::Retention,
};

use crate::{
    Failure,
    control::{Ports, Publisher},
    notification::{NAME, Notification},
    settings,
};

/// Keeps events in memory.
pub(crate) async fn in_memory() -> Result<(), Failure> {
    run(MemoryLog::new(Retention::MEMORY)).await
}

/// Keeps events in a database, each on stable storage before it is delivered: the default.
pub(crate) async fn on_sqlite() -> Result<(), Failure> {
    let path = settings::folder()?.join("events.db");
    run(SqliteLog::open(path).await?).await
}

async fn run(log: impl EventLog) -> Result<(), Failure> {
    let realtime = Realtime::builder()
        .authenticator(JwtAuthenticator::hs256(settings::secret()?)?)
        .limits(limits()?)
        .log(log)
        .build()
        .await?;
    let ports = Ports::listen(&version()).await?;
    let publisher = Embedded(realtime.clone());
    let serve = |listener| async move {
        metaia_realtime::serve(listener, Router::new(), realtime).await;
        Ok::<_, Failure>(())
    };
    ports.run(publisher, serve).await
}

/// The defaults, but for the benchmark's ping interval and as many handshakes as come.
fn limits() -> Result<Limits, Failure> {
    let mut limits = Limits::default();
    limits.ping_interval = settings::ping_interval()?;
    limits.handshakes_per_s = 1_000_000;
    Ok(limits)
}

/// Returns the version, with the commit if the benchmark knows it.
fn version() -> String {
    let commit = std::env::var("METAIA_BENCH_COMMIT").unwrap_or_default();
    format!("metaia-realtime {} {commit}", env!("CARGO_PKG_VERSION"))
}

struct Embedded(Realtime);

impl Publisher for Embedded {
    async fn everyone(&self, n: usize) -> Result<(), Failure> {
        let event = (NAME, Notification::numbered(n));
        self.0.send_to_role(Role::Customer, event).await?;
        Ok(())
    }

    async fn user(&self, user: String, n: usize) -> Result<(), Failure> {
        let user: UserId = user.parse()?;
        let event = (NAME, Notification::numbered(n));
        self.0.send_to_user(&user, event).await?;
        Ok(())
    }
}
