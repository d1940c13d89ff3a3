//! Clients that connect for the first time while an attack goes on.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{interval, timeout};

use crate::crowd::{by_websocket, connect_from};

/// The pause between two newcomers.
const PACE: Duration = Duration::from_millis(100);
/// The time in which a newcomer must be live at its first attempt.
const LIMIT: Duration = Duration::from_secs(2);
const READY: &str = "42[\"rt:ready\"";
/// An address that neither the good clients nor the attackers have.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);
const FIRST_USER: usize = 5_000_000;

/// Newcomers in the background.
pub(super) struct Newcomers {
    stop: watch::Sender<bool>,
    task: JoinHandle<f64>,
}

impl Newcomers {
    pub(super) fn start(port: u16) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(connect_all(port, stopped));
        Self { stop, task }
    }

    /// Returns the percentage that got in.
    pub(super) async fn stop(self) -> f64 {
        self.stop.send_replace(true);
        self.task.await.expect("newcomers do not panic")
    }
}

async fn connect_all(port: u16, mut stopped: watch::Receiver<bool>) -> f64 {
    let mut newcomers = JoinSet::new();
    let mut pace = interval(PACE);
    for number in 0.. {
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => break,
            _ = pace.tick() => newcomers.spawn(gets_in(port, FIRST_USER + number)),
        };
    }
    let got_in = newcomers.join_all().await;
    let count = got_in.iter().filter(|got_in| **got_in).count();
    count as f64 / got_in.len() as f64 * 100.0
}

async fn gets_in(port: u16, user: usize) -> bool {
    let connecting = async {
        let stream = connect_from(ADDRESS, port).await.ok()?;
        by_websocket(stream, READY, user).await.ok()
    };
    matches!(timeout(LIMIT, connecting).await, Ok(Some(_)))
}
