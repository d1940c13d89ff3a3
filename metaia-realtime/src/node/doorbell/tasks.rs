//! The doorbell's work, as tasks of the node. They end when the node stops.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::OptionFuture};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};

use super::receive::NodeFrames;
use crate::{
    doorbell::{FrameReceiver, frame::FrameBody, log_head::LogHead, partition::PartitionChange},
    node::{Node, drain},
    session::EndReason,
};

/// Between two answers to the probes of other nodes.
const ANSWER_PAUSE: Duration = Duration::from_secs(1);
/// The time between two reads that only test whether the log can be read.
const LOG_CHECK_INTERVAL: Duration = Duration::from_secs(2);
/// The time between two probes of a node that cannot read the log.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// A log that takes longer to return its head cannot be read.
const LOG_TIMEOUT: Duration = Duration::from_secs(6);

/// Starts the tasks if there is a doorbell.
pub(in crate::node) fn run(node: &Arc<Node>) {
    let Some(doorbell) = node.doorbell.doorbell.clone() else {
        return;
    };
    let receiver = FrameReceiver::from_handler(NodeFrames(Arc::downgrade(node)));
    spawn(node, async move |_| doorbell.run(receiver).await);
    spawn(node, async |node| notify_appends(&node).await);
    spawn(node, async |node| run_throttle(&node).await);
    spawn(node, async |node| release_held_back(&node).await);
    spawn(node, async |node| answer_probes(&node).await);
    spawn(node, async |node| detect_partition(&node).await);
}

fn spawn<F>(node: &Arc<Node>, task: impl FnOnce(Arc<Node>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let stopping = node.stopping.clone();
    let task = task(Arc::clone(node));
    // Boxed, so that one type of task is compiled and not six.
    let task = async move {
        stopping.run_until_cancelled(task).await;
    };
    node.tasks.spawn(task.boxed());
}

/// Notifies the other nodes of what was appended here. Appends during a notification share the next
/// one.
async fn notify_appends(node: &Node) {
    let mut appends = node.log.local_appends();
    appends.mark_unchanged();
    while appends.changed().await.is_ok() {
        let n = *appends.borrow_and_update();
        node.doorbell.notify(LogHead {
            n,
            ..node.known_log_head()
        });
    }
}

/// Reads the log for notifications that the throttle has held.
///
/// The arms: a notification is held · the log has grown · the pause of the throttle is over.
async fn run_throttle(node: &Node) {
    let mut log_head = node.doorbell.log_head.clone();
    loop {
        let due = node.doorbell.throttle.lock().due();
        let pause = OptionFuture::from(due.map(sleep_until));
        tokio::select! {
            () = node.doorbell.throttled.notified() => {}
            grown = log_head.changed(), if due.is_some() => if grown.is_err() { return },
            Some(()) = pause => {}
        }
        let known = node.known_log_head();
        let must_read = node.doorbell.throttle.lock().settle(known, Instant::now());
        if must_read {
            node.read_log_now();
        }
    }
}

/// Delivers the volatile events that waited for the log.
///
/// The arms: an event is held back · entries were dispatched · an event has waited for too long.
async fn release_held_back(node: &Node) {
    let mut dispatched = node.window.subscribe_dispatched();
    loop {
        let due = node.doorbell.holdback.lock().due();
        let too_late = OptionFuture::from(due.map(sleep_until));
        tokio::select! {
            () = node.doorbell.held_back.notified() => {}
            grown = dispatched.changed(), if due.is_some() => if grown.is_err() { return },
            Some(()) = too_late => {}
        }
        // Held until they are delivered, so that no other event overtakes them.
        let mut holdback = node.doorbell.holdback.lock();
        let (ready, dropped) = holdback.release(node.dispatched_log_head(), Instant::now());
        node.doorbell.counters.dropped.add(dropped);
        for event in ready {
            node.deliver(event);
        }
    }
}

/// Answers the probes of other nodes if the log can be read here.
async fn answer_probes(node: &Node) {
    loop {
        node.doorbell.probed.notified().await;
        // Before the log is read: the read then answers these probes, and no later ones.
        let probes = node.doorbell.probes.lock().drain();
        if let Ok(Ok(head)) = timeout(LOG_TIMEOUT, node.log.head()).await {
            let head = head.position.into();
            for probe in probes {
                node.doorbell.send(FrameBody::ProbeAnswer(head, probe));
            }
        }
        sleep(ANSWER_PAUSE).await;
    }
}

/// Finds out whether the log can be read here, and, if it cannot, whether it can be elsewhere.
///
/// The arms: a read of the log is done · it is time to probe, to judge, or to read again.
async fn detect_partition(node: &Node) {
    let mut tick = interval(PROBE_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut next_read = Instant::now();
    let mut read_began = next_read;
    let mut read = None;
    loop {
        tokio::select! {
            Some(outcome) = OptionFuture::from(read.as_mut()) => {
                read = None;
                next_read = Instant::now() + LOG_CHECK_INTERVAL;
                if matches!(outcome, Ok(Ok(_))) {
                    let change = node.doorbell.partition.lock().log_read();
                    apply_change(node, change).await;
                } else {
                    node.doorbell.partition.lock().log_failed(read_began);
                    send_probe(node);
                }
            }
            _ = tick.tick() => {
                send_probe(node);
                let change = node.doorbell.partition.lock().check(Instant::now());
                apply_change(node, change).await;
                if read.is_none() && Instant::now() >= next_read {
                    read_began = Instant::now();
                    read = Some(Box::pin(timeout(LOG_TIMEOUT, node.log.head())));
                }
            }
        }
    }
}

/// Probes the other nodes while the log cannot be read here.
fn send_probe(node: &Node) {
    let probe = node.doorbell.partition.lock().next_probe(Instant::now());
    // Without the lock: the answer may arrive before `send` returns.
    if let Some(probe) = probe {
        node.doorbell
            .send(FrameBody::Probe(node.known_log_head(), probe));
    }
}

async fn apply_change(node: &Node, change: Option<PartitionChange>) {
    match change {
        Some(PartitionChange::Partitioned) => {
            tracing::error!(
                "the log cannot be read here, and can be elsewhere: clients are disconnected"
            );
            node.set_cut_off(true);
            drain::end_in_batches(node, &node.registry.all(), EndReason::CutOff).await;
        }
        Some(PartitionChange::Healed) => {
            tracing::info!("the log can be read again: clients are admitted");
            node.set_cut_off(false);
        }
        None => {}
    }
}
