//! The dispatcher: one task per node, which takes entries in log order and offers each to the
//! sessions in its rooms.
//!
//! When the log cannot be read it tries again, more and more slowly; sessions stay. When it has
//! fallen behind what the log keeps, every session reads for itself what is left, or is told to
//! reload; access to orders is decided again. Whom it was to disconnect meanwhile it does not know:
//! they stay.

use std::{sync::Arc, time::Duration};

use crate::{
    Position,
    log::{Control, Entry, LogError, Page},
    node::{Node, disconnects::is_before},
    session::{EndReason, Offered, Session},
};

/// Entries per read of the log: appended to all sessions before the first of them is woken.
const BATCH: usize = 64;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Runs until the node stops.
pub(crate) async fn run(node: Arc<Node>) {
    let mut changes = node.log.changes();
    let (mut pause, mut failing) = (FIRST_PAUSE, false);
    loop {
        tokio::select! {
            biased;
            () = node.stopping.cancelled() => return,
            dispatched = dispatch(&node) => match dispatched {
                Ok(more) => {
                    pause = FIRST_PAUSE;
                    if std::mem::take(&mut failing) {
                        tracing::info!("the log can be read again");
                    }
                    if more {
                        continue;
                    }
                }
                Err(error) => {
                    node.counters.read_errors.add(1);
                    // Once, however often it is tried.
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(error = &error as &dyn std::error::Error, "the log cannot be read; trying again");
                    }
                    if tokio::time::timeout(pause, node.stopping.cancelled()).await.is_ok() {
                        return;
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    continue;
                }
            }
        }
        tokio::select! {
            () = node.stopping.cancelled() => return,
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

/// Dispatches one batch. Answers whether there may be more.
pub(crate) async fn dispatch(node: &Node) -> Result<bool, LogError> {
    let head = node.window.head();
    let after = head.n();
    let page = node.log.read(None, after, BATCH).await?;
    if page.epoch != head.epoch() {
        begin_again(node).await?;
        return Ok(true);
    }
    let more = page.entries.len() == BATCH;
    offer_all(node, after, &page);
    Ok(more)
}

pub(crate) fn offer_all(node: &Node, after: u64, page: &Page) {
    let mut touched = Vec::new();
    let (mut expected, mut stalls) = (after + 1, 0);
    for entry in &page.entries {
        if let Some(control) = entry.control() {
            obey(node, control, entry.position(), expected - 1);
        }
        // What is missing may have been requests to decide access anew.
        if entry.n() != expected {
            node.registry.recheck_all(expected - 1);
        }
        node.window.push(entry);
        // After the push: the window no longer reaches back over the gap then, and nobody can go
        // live before it.
        if entry.n() != expected {
            fall_back_all(node, expected - 1);
        }
        expected = entry.n() + 1;
        stalls += offer(node, entry, &mut touched);
        node.window.set_dispatched(entry.position());
    }
    node.counters.dispatched.add(page.entries.len());
    node.counters.credit_stalls.add(stalls);
    for session in touched {
        session.wake();
    }
}

/// Does what the entry at `at` asks for. Everybody was offered everything up to `offered`.
fn obey(node: &Node, control: Control, at: Position, offered: u64) {
    match control {
        Control::Recheck(order) => node.registry.recheck(&order, offered),
        Control::DisconnectUser(user) => {
            // First: who is registered from here on finds it, and who was before is found.
            node.disconnects.note(at, user.clone());
            let sessions = node.registry.of_user(&user);
            let before = sessions
                .iter()
                .filter(|session| is_before(session.began_at, at));
            before.for_each(|session| node.end(session, EndReason::Kicked));
        }
        Control::DisconnectSession(id) => {
            node.registry
                .session(id)
                .iter()
                .for_each(|session| node.end(session, EndReason::Kicked));
        }
    }
}

/// Answers how many sessions had no credit for it.
fn offer(node: &Node, entry: &Arc<Entry>, touched: &mut Vec<Arc<Session>>) -> usize {
    let mut stalls = 0;
    if entry.is_control() {
        return stalls;
    }
    for room in entry.content().rooms() {
        node.registry.each_in(room, |session| {
            let offered = session.offer(entry, room);
            stalls += usize::from(offered == Offered::NoCredit);
            if offered != Offered::NotWanted {
                touched.push(Arc::clone(session));
            }
        });
    }
    stalls
}

/// The log's history is another one now: nobody knows what they have missed. What this node
/// dispatches from here on is what the log has from here on.
pub(crate) async fn begin_again(node: &Node) -> Result<(), LogError> {
    let recent = node.window.read_anew(&*node.log).await?;
    let head = recent.head();
    if !node.window.is_known() {
        tracing::info!(n = head.n(), "the log is read for the first time");
        super::late_log::make_up(node, &recent);
        node.window.begin_again(recent);
        return Ok(());
    }
    node.window.begin_again(recent);
    tracing::warn!(epoch = %head.epoch(), "the log has a new epoch: clients are told to reload");
    node.disconnects.forget();
    node.registry.ask_joins_again();
    node.registry
        .all()
        .iter()
        .for_each(|session| session.lose_history());
    Ok(())
}

/// Entries after `n` are gone: every session looks for itself.
fn fall_back_all(node: &Node, n: u64) {
    for session in node.registry.all() {
        session.fall_back(n);
    }
}
