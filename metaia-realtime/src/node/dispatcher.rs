//! The dispatcher: one task per node, which takes entries in log order and offers each to the
//! sessions in its rooms.
//!
//! If the log cannot be read, the dispatcher retries with growing pauses; sessions stay. If the log
//! has trimmed entries before the dispatcher read them, every session reads the log for itself and
//! is told to reload if it misses an entry. The access of sessions to orders is then decided again,
//! in a [round](access_rounds).
//! Disconnects among the missed entries are not applied: those sessions stay. Connections that are
//! older and not registered yet are refused.

use std::{sync::Arc, time::Duration};

use super::{
    Node, access_rounds, commit_times,
    deliveries::Deliveries,
    disconnects::{DisconnectTarget, started_before},
    late_log, unreadable,
};
use crate::{
    Position, Room,
    failure_log::FailureLog,
    log::{Control, Entry, EntryKind, LogError},
    planted_faults::{Fault, planted},
    session::{EndReason, Offered, Session},
};

/// Entries per read of the log. They are offered to all sessions before the first one delivers.
const BATCH: usize = 64;
/// The number of offers after which other tasks run: less than 1 ms at some 0.1 to 0.5 µs each.
const OFFERS_PER_YIELD: usize = 1_024;
/// The pause before the first retry to read the log. It doubles with each retry.
const FIRST_RETRY_PAUSE: Duration = Duration::from_millis(50);
const MAX_RETRY_PAUSE: Duration = Duration::from_secs(2);

/// Runs until the node stops.
pub(super) async fn run(node: Arc<Node>) {
    let mut changes = node.log.changes();
    let mut retry = Retry::new();
    loop {
        let dispatched = tokio::select! {
            biased;
            () = node.stopping.cancelled() => return,
            dispatched = dispatch(&node) => dispatched,
        };
        match dispatched {
            Ok(has_more) => {
                retry.reset();
                if has_more {
                    continue;
                }
            }
            Err(error) => {
                node.counters.read_errors.add(1);
                let pause = retry.next_pause(&error);
                let stopped = tokio::time::timeout(pause, node.stopping.cancelled()).await;
                if stopped.is_ok() {
                    return;
                }
                continue;
            }
        }
        tokio::select! {
            () = node.stopping.cancelled() => return,
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

/// The pauses between retries to read the log.
struct Retry {
    pause: Duration,
    failures: FailureLog,
}

impl Retry {
    fn new() -> Self {
        Self {
            pause: FIRST_RETRY_PAUSE,
            failures: FailureLog::default(),
        }
    }

    fn reset(&mut self) {
        self.pause = FIRST_RETRY_PAUSE;
        self.failures
            .worked(|| tracing::info!("the log can be read again"));
    }

    fn next_pause(&mut self, error: &LogError) -> Duration {
        self.failures.failed(|| {
            let error: &dyn std::error::Error = error;
            tracing::warn!(error, "the log cannot be read; retrying");
        });
        let pause = self.pause;
        self.pause = (pause * 2).min(MAX_RETRY_PAUSE);
        pause
    }
}

/// Dispatches one batch. Returns whether there may be more. Not cancel safe: sessions may have been
/// offered a part.
pub(crate) async fn dispatch(node: &Node) -> Result<bool, LogError> {
    let head = node.window.head();
    let after = head.n();
    let page = node.log.read(None, after, BATCH).await?;
    if page.epoch != head.epoch() {
        reload_window(node).await?;
        return Ok(true);
    }
    let ready = access_rounds::wait_for_round(node, after, &page.entries).await;
    let deliveries = dispatch_entries(node, after, ready).await;
    deliveries.deliver(&node.counters).await;
    let has_more = page.entries.len() == BATCH || ready.len() < page.entries.len();
    Ok(has_more)
}

/// Applies the control entries among entries that were read after entry `after`, and offers the
/// others. Returns the deliveries to make.
pub(crate) async fn dispatch_entries(
    node: &Node,
    after: u64,
    entries: &[Arc<Entry>],
) -> Deliveries {
    commit_times::estimate(entries, node.counters.latencies.read_clock());
    let mut deliveries = Deliveries::new();
    let mut expected = after + 1;
    let mut stalls = 0;
    let mut pauses = OfferPauses::default();
    for entry in entries {
        // Every session was offered everything up to this entry.
        let offered = expected - 1;
        let has_gap = entry.n() != expected;
        if has_gap {
            // The missing entries may include disconnects, and requests to decide access again.
            node.disconnects.restart_after(entry.position());
            access_rounds::begin(node, entry.position(), offered);
        }
        match entry.kind() {
            EntryKind::Event => {}
            EntryKind::Control(control) => apply_control(node, control, entry.position(), offered),
            EntryKind::Unreadable => unreadable::apply(node, entry, offered),
        }
        node.window.push(entry);
        if has_gap {
            // After the push: the window then does not reach back over the gap, so that no session
            // goes live with entries missing.
            fall_back_all(node, offered);
        }
        stalls += offer(node, entry, &mut deliveries, &mut pauses).await;
        node.window.set_dispatched(entry.position());
        expected = entry.n() + 1;
    }
    node.counters.dispatched.add(entries.len());
    node.counters.credit_stalls.add(stalls);
    deliveries
}

/// Applies the control entry at `at`. Every session was offered everything up to `offered`.
fn apply_control(node: &Node, control: &Control, at: Position, offered: u64) {
    match control {
        Control::Recheck(_) if planted(Fault::NeverRevoked) => {}
        Control::Recheck(order) => node.registry.recheck(order, offered),
        Control::DisconnectUser(user) => {
            // Before the registry is read: a session that registers from here on finds the record,
            // and one that has registered is found.
            let record = DisconnectTarget::User(user.clone());
            node.disconnects.record(at, record);
            for session in node.registry.of_user(user) {
                if started_before(session.started_at, at) {
                    node.end(&session, EndReason::Kicked);
                }
            }
        }
        Control::DisconnectSession(id) => {
            node.disconnects.record(at, DisconnectTarget::Session(*id));
            if let Some(session) = node.registry.session(*id) {
                node.end(&session, EndReason::Kicked);
            }
        }
    }
}

/// Offers an entry to the sessions in its rooms, and collects those to deliver to. Returns how many
/// had no credit.
///
/// A session that joins meanwhile reads the entry from the window.
async fn offer(
    node: &Node,
    entry: &Arc<Entry>,
    deliveries: &mut Deliveries,
    pauses: &mut OfferPauses,
) -> usize {
    if !entry.is_event() {
        return 0;
    }
    let mut stalls = 0;
    for room in entry.content().rooms() {
        let members = node.registry.members(room);
        for mut sessions in members.chunks() {
            if planted(Fault::OneDeviceOnly) && matches!(room, Room::User(_)) {
                sessions = sessions.get(..1).unwrap_or_default();
            }
            stalls += offer_to(sessions, entry, room, deliveries);
            pauses.after(sessions.len()).await;
        }
    }
    stalls
}

fn offer_to(
    sessions: &[Arc<Session>],
    entry: &Arc<Entry>,
    room: &Room,
    deliveries: &mut Deliveries,
) -> usize {
    let mut stalls = 0;
    for session in sessions {
        let offered = session.offer(entry, room);
        if offered == Offered::NoCredit {
            stalls += 1;
        }
        if offered != Offered::NotWanted {
            deliveries.add(session);
        }
    }
    stalls
}

/// The pauses in which other tasks run while a batch is offered.
#[derive(Default)]
struct OfferPauses {
    offers: usize,
}

impl OfferPauses {
    async fn after(&mut self, offers: usize) {
        self.offers += offers;
        if self.offers >= OFFERS_PER_YIELD {
            self.offers = 0;
            tokio::task::yield_now().await;
        }
    }
}

/// Reads the window again from the log, which has another epoch than the window. The node
/// dispatches what the log has from here on.
///
/// If the node had read the log before, its history is gone, and every client is told to reload.
/// Otherwise this is the first read. Either way the control entries that count as dispatched from
/// here on are applied before: see [`late_log`].
pub(crate) async fn reload_window(node: &Node) -> Result<(), LogError> {
    let recent = node.window.read_end_of(&*node.log).await?;
    let head = recent.head();
    if !node.window.has_read_log() {
        tracing::info!(n = head.n(), "the log is read for the first time");
        // Before the window is replaced, which lets the sessions go on.
        late_log::replay_missed_controls(node, &recent);
        node.window.replace(recent);
        return Ok(());
    }
    tracing::warn!(epoch = %head.epoch(), "the log has a new epoch: clients are told to reload");
    late_log::apply_controls_of_new_epoch(node, &recent);
    node.window.replace(recent);
    node.registry.invalidate_joins();
    for session in node.registry.all() {
        session.lose_history();
    }
    Ok(())
}

/// Makes every session catch up from entry `n`, since some entries after it were not dispatched.
fn fall_back_all(node: &Node, n: u64) {
    for session in node.registry.all() {
        session.fall_back(n);
    }
}
