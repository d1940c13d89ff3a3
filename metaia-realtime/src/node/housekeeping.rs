//! What a node does now and then: tells positions to clients that were told none for long, and
//! stores how far each has got.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::{log::LogError, node::Node};

const EVERY: Duration = Duration::from_secs(30);
/// After a failure to store.
const PAUSE: Duration = Duration::from_secs(1);

/// A client whose last position is this many entries old is told a newer one, so that it is found
/// in the window when it comes back.
const OLD: u64 = 2_048;

/// Runs until the node stops. Who has just come is stored at once, all others every 30 s.
pub(crate) async fn run(node: Arc<Node>) {
    let mut every = interval_at(Instant::now() + EVERY, EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        tokio::select! {
            biased;
            () = node.stopping.cancelled() => return,
            _ = every.tick() => look_at_all(&node).await,
            () = node.devices.urgent() => {}
        }
        let saved = node.devices.save(node.epoch()).await;
        say_change(&mut failing, &saved);
        if saved.is_err() {
            if tokio::time::timeout(PAUSE, node.stopping.cancelled())
                .await
                .is_ok()
            {
                return;
            }
            node.devices.remind();
        }
    }
}

/// One line when positions cannot be stored any more, and one when they can again.
fn say_change(failing: &mut bool, saved: &Result<(), LogError>) {
    match saved {
        Err(error) if !*failing => tracing::warn!(
            error = error as &dyn std::error::Error,
            "device positions cannot be stored; trying again"
        ),
        Ok(()) if *failing => tracing::info!("device positions can be stored"),
        Ok(()) | Err(_) => {}
    }
    *failing = saved.is_err();
}

/// Sessions that are looked at before others may have the thread.
const AT_ONCE: usize = 256;

async fn look_at_all(node: &Node) {
    for sessions in node.registry.all().chunks(AT_ONCE) {
        // For each anew: a session that came meanwhile has seen more than was dispatched before.
        let dispatched = node.window.dispatched();
        for session in sessions {
            session.tell_position(dispatched, OLD);
            node.devices.stands(session);
        }
        tokio::task::yield_now().await;
    }
    node.replay_budget.forget_old();
}
