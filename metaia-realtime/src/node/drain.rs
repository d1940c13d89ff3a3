//! Draining: a node ends its sessions for good, so that their clients reconnect to another node and
//! lose nothing.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use rand::RngExt as _;
use tokio::time::{sleep, timeout};

use crate::{
    node::{Node, announcer::LEAVE_TIMEOUT},
    session::{DRAIN, EndReason, Session, drain_payload},
};

/// The reconnects of clients are spread over this many ms.
const RETRY_SPREAD_MS: u64 = 5_000;

/// The time in which packets that were handed over have to be written. A client that is slower
/// receives them after it has reconnected.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Sessions are ended in batches with a pause between, so that not all clients reconnect at once.
const BATCH: usize = 1_000;
const BATCH_PAUSE: Duration = Duration::from_millis(50);

/// The timeout for saving the positions of devices. It begins after the drain's deadline.
const SAVE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// The timeout for the node's tasks to end. It is longer than that for leaving the directory.
const TASKS_TIMEOUT: Duration = Duration::from_secs(1);

/// The directory is left by a task of the node.
const _: () = assert!(LEAVE_TIMEOUT.as_millis() < TASKS_TIMEOUT.as_millis());

/// The longest time from the deadline of a drain to its end.
#[cfg(feature = "axum")]
pub(crate) const TIME_AFTER_DEADLINE: Duration = SAVE_TIMEOUT.saturating_add(TASKS_TIMEOUT);

/// Admits no session any more, then ends all sessions and the node's tasks.
///
/// Until `deadline`, clients receive `rt:drain` and what was already sent, and handlers that have
/// begun run on, also one that awaits this drain: it waits for itself. After it, the remaining
/// sessions are ended at once, and handlers are dropped. The
/// positions of devices are saved either way. Cancel safe: call again to finish.
pub(crate) async fn drain(node: &Node, deadline: Duration) {
    node.begin_draining();
    let finished = async {
        end_all(node).await;
        node.finishing.all_finished().await;
    };
    if timeout(deadline, finished).await.is_err() {
        end_late_sessions(node);
    }
    save_positions(node).await;
    node.stopping.cancel();
    node.tasks.close();
    if timeout(TASKS_TIMEOUT, node.tasks.wait()).await.is_err() {
        tracing::warn!(tasks = node.tasks.len(), "not every task ended in time");
    }
}

/// Ends the sessions that are left at the deadline. There may be none: the deadline can also pass
/// in the pause after the last batch, or while handlers run.
fn end_late_sessions(node: &Node) {
    let unfinished = node.finishing.len();
    if unfinished > 0 {
        tracing::warn!(
            unfinished,
            "handlers of sessions that have ended are dropped"
        );
    }
    let late = node.registry.all();
    if !late.is_empty() {
        tracing::warn!(sessions = late.len(), "not every session ended in time");
    }
    for session in late {
        node.end(&session, EndReason::Draining);
    }
}

async fn save_positions(node: &Node) {
    match timeout(SAVE_TIMEOUT, node.devices.save()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "device positions are not stored");
        }
        Err(_) => tracing::warn!("device positions were not stored in time"),
    }
}

async fn end_all(node: &Node) {
    let sessions = node.registry.all();
    for session in &sessions {
        let retry_in_ms = rand::rng().random_range(0..RETRY_SPREAD_MS);
        session.push_control(DRAIN, drain_payload(retry_in_ms));
    }
    if timeout(FLUSH_TIMEOUT, flush(node, &sessions))
        .await
        .is_err()
    {
        tracing::info!("not every client has read what was sent: they receive it on reconnecting");
    }
    end_in_batches(node, &sessions, EndReason::Draining).await;
}

/// Waits until everything that the log has now is written to the clients.
async fn flush(node: &Node, sessions: &[Arc<Session>]) {
    if node.up_to_date().await.is_ok() {
        join_all(sessions.iter().map(|session| session.flushed())).await;
    }
}

/// Ends the sessions in batches.
pub(super) async fn end_in_batches(node: &Node, sessions: &[Arc<Session>], reason: EndReason) {
    for batch in sessions.chunks(BATCH) {
        for session in batch {
            node.end(session, reason);
        }
        sleep(BATCH_PAUSE).await;
    }
}
