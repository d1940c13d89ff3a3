//! Emptying a node for good, so that its clients come back elsewhere and have lost nothing.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use rand::RngExt as _;
use tokio::time::{sleep, timeout};

use crate::{
    node::Node,
    session::{DRAIN, EndReason, Session, drain_payload},
};

/// Clients come back spread over so many milliseconds.
const RETRY_SPREAD_MS: u64 = 5_000;

/// How long what is on its way may take to be written. Who takes longer gets it on coming back.
const FLUSH: Duration = Duration::from_secs(2);

/// Sessions are ended in batches of so many, with a pause between, so that a drain is not a
/// stampede.
const BATCH: usize = 1_000;
const PAUSE: Duration = Duration::from_millis(50);

/// The time to store how far devices have got. It is there in any case, after the deadline too.
const SAVE_TIMEOUT: Duration = Duration::from_secs(2);
/// The time for the last tasks to end.
const TASKS_TIMEOUT: Duration = Duration::from_millis(500);

/// Admits no session any more, then ends all of them and the node's tasks.
///
/// Sessions have until `deadline` to be told and to be handed what is on its way; after it they are
/// ended at once, so that how far their clients have got is stored in any case. Cancel safe: call
/// again to finish.
pub(crate) async fn drain(node: &Node, deadline: Duration) {
    node.begin_draining();
    if timeout(deadline, end_all(node)).await.is_err() {
        let late = node.registry.all();
        tracing::warn!(sessions = late.len(), "not every session ended in time");
        for session in late {
            node.end(&session, EndReason::Draining);
        }
    }
    match timeout(SAVE_TIMEOUT, node.devices.save(node.epoch())).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "device positions are not stored");
        }
        Err(_) => tracing::warn!("device positions were not stored in time"),
    }
    node.stopping.cancel();
    node.tasks.close();
    if timeout(TASKS_TIMEOUT, node.tasks.wait()).await.is_err() {
        tracing::warn!(tasks = node.tasks.len(), "not every task ended in time");
    }
}

async fn end_all(node: &Node) {
    let sessions = node.registry.all();
    for session in &sessions {
        session.push_control(
            DRAIN,
            drain_payload(rand::rng().random_range(0..RETRY_SPREAD_MS)),
        );
    }
    let flushed = async {
        // What the log has was promised to those who are here; they may as well have it before they
        // go.
        if node.up_to_date().await.is_ok() {
            join_all(sessions.iter().map(|session| session.flushed())).await;
        }
    };
    if timeout(FLUSH, flushed).await.is_err() {
        tracing::info!("not every client has read what was sent: they get it when they come back");
    }
    end_in_batches(node, &sessions, EndReason::Draining).await;
}

/// Ends these sessions, some at a time.
pub(crate) async fn end_in_batches(node: &Node, sessions: &[Arc<Session>], end: EndReason) {
    for batch in sessions.chunks(BATCH) {
        batch.iter().for_each(|session| node.end(session, end));
        sleep(PAUSE).await;
    }
}
