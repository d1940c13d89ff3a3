//! What a node does for its doorbell, as tasks of the node. They end when it stops.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::future::OptionFuture;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};

use crate::{
    doorbell::{FrameReceiver, frame::Body, log_head::LogHead, partition::PartitionChange},
    node::doorbell::{NodeFrames, lock},
};
use crate::{
    node::{Node, drain},
    session::EndReason,
};

/// Between two answers to who asks whether the log can be read.
const ANSWER_PAUSE: Duration = Duration::from_secs(1);
/// How often the log is looked at only to see whether it can be.
const PROBE: Duration = Duration::from_secs(2);
/// How often a node that cannot read it asks the others.
const ASK: Duration = Duration::from_secs(1);
/// A log that does not answer for so long cannot be read.
const SILENCE: Duration = Duration::from_secs(6);

/// Starts the tasks, where there is a doorbell.
pub(crate) fn run(node: &Arc<Node>) {
    let Some(doorbell) = node.doorbell.doorbell.clone() else {
        return;
    };
    let receiver = FrameReceiver::from_handler(NodeFrames(Arc::downgrade(node)));
    spawn(node, async move |_| doorbell.run(receiver).await);
    spawn(node, async |node| notify(&node).await);
    spawn(node, async |node| believe(&node).await);
    spawn(node, async |node| release(&node).await);
    spawn(node, async |node| answer(&node).await);
    spawn(node, async |node| watch(&node).await);
}

fn spawn<F>(node: &Arc<Node>, task: impl FnOnce(Arc<Node>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let stopping = node.stopping.clone();
    let task = task(Arc::clone(node));
    node.tasks.spawn(async move {
        stopping.run_until_cancelled(task).await;
    });
}

/// Rings for what was appended here. What is appended while a ring is under way shares the next
/// one.
async fn notify(node: &Node) {
    let mut own = node.log.local_appends();
    own.mark_unchanged();
    while own.changed().await.is_ok() {
        let n = *own.borrow_and_update();
        node.doorbell.notify(LogHead { n, ..node.known() });
    }
}

/// Looks at the log for rings that came while a look was under way.
///
/// The arms: something began to wait · the log has grown · the look was in vain.
async fn believe(node: &Node) {
    let mut head = node.doorbell.head.clone();
    loop {
        let due = lock(&node.doorbell.belief).due();
        let in_vain = OptionFuture::from(due.map(sleep_until));
        tokio::select! {
            () = node.doorbell.doubted.notified() => {}
            grown = head.changed(), if due.is_some() => if grown.is_err() { return },
            Some(()) = in_vain => {}
        }
        if lock(&node.doorbell.belief).settle(node.known(), Instant::now()) {
            node.look();
        }
    }
}

/// Delivers volatile events that waited for the log.
///
/// The arms: something began to wait · something was dispatched · something has waited for too
/// long.
async fn release(node: &Node) {
    let mut dispatched = node.window.progress();
    loop {
        let due = lock(&node.doorbell.waiting).due();
        let late = OptionFuture::from(due.map(sleep_until));
        tokio::select! {
            () = node.doorbell.held.notified() => {}
            grown = dispatched.changed(), if due.is_some() => if grown.is_err() { return },
            Some(()) = late => {}
        }
        // Under the lock, so that nobody overtakes them.
        let mut waiting = lock(&node.doorbell.waiting);
        let (ready, late) = waiting.release(node.dispatched(), Instant::now());
        node.doorbell.counters.dropped.add(late);
        ready.into_iter().for_each(|cast| node.deliver(cast));
    }
}

/// Answers who asks whether the log can be read, where it can.
async fn answer(node: &Node) {
    loop {
        node.doorbell.asked.notified().await;
        // Before the log is read: what is read then answers these, and no later ones.
        let questions = lock(&node.doorbell.questions).drain();
        if let Ok(Ok(head)) = timeout(SILENCE, node.log.head()).await {
            let at = head.position.into();
            for question in questions {
                node.doorbell.send(Body::ProbeAnswer(at, question));
            }
        }
        sleep(ANSWER_PAUSE).await;
    }
}

/// Looks whether the log can be read here, and, where it cannot, whether it can be elsewhere.
///
/// The arms: a look is done · it is time to judge, to ask, or to look again.
async fn watch(node: &Node) {
    let mut every = interval(ASK);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut next = Instant::now();
    let mut began = next;
    let mut probe = None;
    loop {
        tokio::select! {
            Some(read) = OptionFuture::from(probe.as_mut()) => {
                probe = None;
                next = Instant::now() + PROBE;
                if matches!(read, Ok(Ok(_))) {
                    let read = lock(&node.doorbell.cut_off).log_read();
                    change(node, read).await;
                } else {
                    lock(&node.doorbell.cut_off).log_failed(began);
                    ask(node);
                }
            }
            _ = every.tick() => {
                ask(node);
                let judged = lock(&node.doorbell.cut_off).check(Instant::now());
                change(node, judged).await;
                if probe.is_none() && Instant::now() >= next {
                    began = Instant::now();
                    probe = Some(Box::pin(timeout(SILENCE, node.log.head())));
                }
            }
        }
    }
}

fn ask(node: &Node) {
    // Not under the lock: the answer may be here before this returns.
    let question = lock(&node.doorbell.cut_off).next_probe(Instant::now());
    if let Some(question) = question {
        node.doorbell.send(Body::Probe(node.known(), question));
    }
}

async fn change(node: &Node, change: Option<PartitionChange>) {
    match change {
        Some(PartitionChange::Partitioned) => {
            tracing::error!(
                "the log cannot be read here, and can be elsewhere: clients are sent away"
            );
            node.set_cut_off(true);
            drain::end_in_batches(node, &node.registry.all(), EndReason::CutOff).await;
        }
        Some(PartitionChange::Healed) => {
            tracing::info!("the log can be read again: clients may come");
            node.set_cut_off(false);
        }
        None => {}
    }
}
