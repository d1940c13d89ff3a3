//! Periodic work of a node: sends positions to clients that were sent none for long, and stores how
//! far each client has got.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::{device::DeviceError, failure_log::FailureLog, node::Node};

const INTERVAL: Duration = Duration::from_secs(30);
/// After positions could not be stored.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// A client whose last position is at least this many entries old is sent a newer one, so that the
/// window still has it when the client reconnects. Half the window's entries.
const MAX_POSITION_AGE: u64 = 2_048;

/// Sessions that are visited before other tasks may have the thread.
const SESSIONS_PER_YIELD: usize = 256;

/// Runs until the node stops. Positions of clients that have just connected are stored at once, all
/// others every 30 s (`INTERVAL`).
pub(super) async fn run(node: Arc<Node>) {
    let mut tick = interval_at(Instant::now() + INTERVAL, INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failures = FailureLog::default();
    loop {
        tokio::select! {
            biased;
            () = node.stopping.cancelled() => return,
            _ = tick.tick() => visit_sessions(&node).await,
            () = node.devices.save_requested() => {}
        }
        let saved = node.devices.save().await;
        log_if_changed(&mut failures, &saved);
        if saved.is_err() {
            let stopped = tokio::time::timeout(RETRY_PAUSE, node.stopping.cancelled()).await;
            if stopped.is_ok() {
                return;
            }
            node.devices.request_save();
        }
    }
}

/// Logs one line when positions cannot be stored any more, and one when they can be again.
fn log_if_changed(failures: &mut FailureLog, saved: &Result<(), DeviceError>) {
    match saved {
        Ok(()) => failures.worked(|| tracing::info!("device positions can be stored again")),
        Err(error) => failures.failed(|| {
            let error: &dyn std::error::Error = error;
            tracing::warn!(error, "device positions cannot be stored; retrying");
        }),
    }
}

async fn visit_sessions(node: &Node) {
    for sessions in node.registry.all().chunks(SESSIONS_PER_YIELD) {
        // Read for each chunk: a session that went live meanwhile is past the earlier position.
        let dispatched = node.window.dispatched();
        for session in sessions {
            session.send_position_if_stale(dispatched, MAX_POSITION_AGE);
            node.devices.update(session);
        }
        tokio::task::yield_now().await;
    }
    node.replay_budget.shrink();
    node.decision_budget.shrink();
}
