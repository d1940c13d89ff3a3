//! Draining: a node ends its sessions for good, so that their clients reconnect to another node and
//! lose nothing.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use rand::RngExt as _;
use tokio::time::{sleep, timeout};

use crate::{
    node::Node,
    session::{DRAIN, EndReason, Session, drain_payload},
};

/// The reconnects of clients are spread over this many ms.
const RETRY_SPREAD_MS: u64 = 5_000;

/// The time that packets that were handed over have to be written. Part of the drain's deadline. A
/// slower client receives them after it has reconnected.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Sessions are ended in batches with a pause between, so that not all clients reconnect at once.
const BATCH: usize = 1_000;
const BATCH_PAUSE: Duration = Duration::from_millis(50);

/// The time that the store has to save the positions of clients, after the drain's deadline.
const SAVE_TIMEOUT: Duration = Duration::from_secs(2);
/// The time that the node's tasks have to end after that.
const TASKS_TIMEOUT: Duration = Duration::from_millis(500);

/// Admits no more sessions, then ends all sessions and the node's tasks.
///
/// Until `deadline`, clients are sent `rt:drain`, packets under way are written, and sessions are
/// ended in batches. After it, the remaining sessions are ended at once. Then the positions of
/// their clients are saved (at most 2 s, `SAVE_TIMEOUT`) and the tasks end (at most 0.5 s,
/// `TASKS_TIMEOUT`). So a drain takes at most 2.5 s longer than `deadline`.
///
/// Cancel safe: call it again to finish.
pub(crate) async fn drain(node: &Node, deadline: Duration) {
    node.begin_draining();
    if timeout(deadline, end_all(node)).await.is_err() {
        let late = node.registry.all();
        tracing::warn!(sessions = late.len(), "not every session ended in time");
        for session in late {
            node.end(&session, EndReason::Draining);
        }
    }
    save_positions(node).await;
    node.stopping.cancel();
    node.tasks.close();
    if timeout(TASKS_TIMEOUT, node.tasks.wait()).await.is_err() {
        tracing::warn!(tasks = node.tasks.len(), "not every task ended in time");
    }
}

async fn save_positions(node: &Node) {
    match timeout(SAVE_TIMEOUT, node.devices.save(node.epoch())).await {
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

/// Waits until all entries that the log has now are written to the clients.
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
