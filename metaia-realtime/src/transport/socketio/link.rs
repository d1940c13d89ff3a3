//! A link: the state of one Engine.IO session, whichever TCP connections carry it.

use std::{
    fmt,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{
    engine_service::EngineService, entry_times::EntryTimes, membership::Membership,
    read_budget::ReadBudget, scan::Written, upgrade_state::UpgradeState, write_counts::WriteCounts,
};
use crate::{
    Limits,
    node::{Counters, TransportKind},
    session::{EndReason, Progress},
    transport::guard::{Connection, Observer, WeakConnection},
    values::Moment,
};

/// The path of one Engine.IO session to its client. All counts begin with the Engine.IO session.
#[derive(Debug)]
pub(super) struct Link {
    /// Set once `guard` does not wrap one of the connections: packets cannot be counted then.
    uncounted: AtomicBool,
    /// Packets handed to the engine, which writes them in order.
    handed_over: AtomicU64,
    counts: WriteCounts,
    /// Set with the first session.
    entry_times: OnceLock<EntryTimes>,
    refused_connects: AtomicU32,
    pub(super) read_budget: ReadBudget,
    /// The client's membership in the namespace.
    pub(super) membership: Membership,
    /// The upgrade of the session to a WebSocket, if it began with polling.
    pub(super) upgrade: UpgradeState,
    /// The number of CONNECTs that were accepted.
    joins: AtomicU32,
    sockets: Mutex<Vec<WeakConnection>>,
    /// The session's polling side, if it began with polling.
    polling: Option<PollingSession>,
    /// The reason why the transport ended the link.
    lost: OnceLock<EndReason>,
    /// Wakes the task of the session.
    pub(super) wake: Notify,
}

impl Link {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            uncounted: AtomicBool::new(false),
            handed_over: AtomicU64::new(0),
            counts: WriteCounts::default(),
            entry_times: OnceLock::new(),
            refused_connects: AtomicU32::new(0),
            read_budget: ReadBudget::new(limits),
            membership: Membership::default(),
            upgrade: UpgradeState::default(),
            joins: AtomicU32::new(0),
            sockets: Mutex::default(),
            polling: None,
            lost: OnceLock::new(),
            wake: Notify::new(),
        }
    }

    /// Creates the link of a session that begins with polling.
    pub(super) fn with_polling(limits: &Limits, session: PollingSession) -> Self {
        Self {
            polling: Some(session),
            ..Self::new(limits)
        }
    }

    /// Returns why the transport ended the link, if it did.
    pub(super) fn lost(&self) -> Option<EndReason> {
        self.lost.get().copied()
    }

    /// Counts `bytes` of a POST. Ends the link if the client has sent too much.
    pub(super) fn add_posted(&self, bytes: usize) {
        if !self.read_budget.take_posted(bytes) {
            self.lose(EndReason::RateLimited);
        }
    }

    /// Returns the reason to end the session if its client has sent too much over a WebSocket,
    /// which is not read from any more.
    pub(super) fn over_read_budget(&self) -> Option<EndReason> {
        self.lost()
            .filter(|reason| *reason == EndReason::RateLimited)
    }

    /// Ends the link, since its client has sent too much over a WebSocket. If there is a session,
    /// it ends the link when it has told the client why.
    fn exceed_read_budget(&self) {
        if !self.read_budget.has_joined() {
            return self.lose(EndReason::RateLimited);
        }
        self.lost.set(EndReason::RateLimited).ok();
        for socket in self.sockets.lock().iter() {
            if let Some(connection) = socket.upgrade() {
                connection.stop_reading();
            }
        }
        self.wake.notify_one();
    }

    /// Returns the progress in events and acks, or `None` if the packets cannot be counted.
    pub(super) fn progress(&self) -> Option<Progress> {
        let is_counted = !self.uncounted.load(Ordering::Acquire);
        is_counted.then(|| self.counts.progress())
    }

    /// Returns the engine's id of the session, if it began with polling.
    pub(super) fn polling_sid(&self) -> Option<&str> {
        self.polling.as_ref().map(|session| session.sid.as_str())
    }

    /// Returns whether the session polls, and has not switched to a WebSocket.
    pub(super) fn is_polling(&self) -> bool {
        self.polling.is_some() && !self.upgrade.is_done()
    }

    fn transport(&self) -> TransportKind {
        if self.is_polling() {
            TransportKind::Polling
        } else {
            TransportKind::WebSocket
        }
    }

    /// Records that a connection is to become a WebSocket of this link, so that it ends with it.
    pub(super) fn attempt(&self, connection: Option<&Connection>) {
        let Some(connection) = connection else {
            return;
        };
        let mut sockets = self.sockets.lock();
        sockets.retain(|socket| socket.upgrade().is_some());
        sockets.push(connection.downgrade());
    }

    /// Records that a connection became a WebSocket of this link. `None` stands for a connection
    /// that `guard` does not wrap.
    pub(super) fn upgraded(self: &Arc<Self>, connection: Option<&Connection>) {
        let Some(connection) = connection else {
            self.uncounted.store(true, Ordering::Release);
            return;
        };
        connection.upgrade(Arc::clone(self) as _);
        self.attempt(Some(connection));
    }

    /// Times the entries of the link's sessions from here on.
    pub(super) fn time_entries(&self, counters: &Arc<Counters>) {
        self.entry_times.get_or_init(|| EntryTimes::new(counters));
    }

    /// Counts a packet that is handed to the engine: a live entry that was committed at
    /// `committed`, or another packet.
    pub(super) fn hand_over(&self, committed: Option<Moment>) {
        let number = self.handed_over.fetch_add(1, Ordering::AcqRel);
        if let Some(times) = self.entry_times.get() {
            times.hand_over(number, committed, self.transport());
        }
    }

    /// Takes back a packet that the engine has refused.
    pub(super) fn take_back(&self) {
        self.handed_over.fetch_sub(1, Ordering::AcqRel);
    }

    /// Waits until the engine has written all packets. For a link whose session has ended: a
    /// session is woken by the same writes.
    pub(super) async fn all_written(&self) {
        while self.unwritten() > 0 {
            self.wake.notified().await;
        }
    }

    /// Returns the number of packets that were handed to the engine.
    pub(super) fn handed_over(&self) -> u64 {
        self.handed_over.load(Ordering::Acquire)
    }

    /// Returns how many packets the engine has yet to write.
    pub(super) fn unwritten(&self) -> u64 {
        self.handed_over().saturating_sub(self.counts.written())
    }

    /// Counts an accepted CONNECT.
    pub(super) fn add_join(&self) {
        self.joins.fetch_add(1, Ordering::AcqRel);
    }

    /// Returns the number of accepted CONNECTs.
    pub(super) fn joins(&self) -> u32 {
        self.joins.load(Ordering::Acquire)
    }

    /// Kills the WebSockets. Returns whether there were any.
    pub(super) fn kill(&self) -> bool {
        let sockets = std::mem::take(&mut *self.sockets.lock());
        let alive: Vec<Connection> = sockets.iter().filter_map(WeakConnection::upgrade).collect();
        for connection in &alive {
            connection.kill();
        }
        !alive.is_empty()
    }

    /// Counts a refused CONNECT and returns the total.
    pub(super) fn add_refused_connect(&self) -> u32 {
        self.refused_connects.fetch_add(1, Ordering::AcqRel) + 1
    }
}

/// The traffic of the link's connections.
impl Link {
    /// Counts packets that were written to the client.
    pub(super) fn written(&self, written: Written) {
        let has_packets = written.packets > 0;
        let before = self.counts.written();
        self.counts.add(written);
        if let Some(times) = self.entry_times.get() {
            times.written(before, written.packets, self.transport());
        }
        if has_packets {
            self.wake.notify_one();
        }
    }

    /// Records a pong of the client.
    pub(super) fn pong(&self) {
        self.counts.pong();
        self.wake.notify_one();
    }

    /// Counts `bytes` that came over one of the link's WebSockets.
    pub(super) fn read(&self, bytes: usize) {
        if !self.read_budget.take(bytes) {
            self.exceed_read_budget();
        }
    }
}

impl Observer for Link {
    /// Ends the Engine.IO session on every connection. The first reason is kept.
    fn lose(&self, why: EndReason) {
        self.lost.set(why).ok();
        self.membership.end();
        self.kill();
        if let Some(polling) = &self.polling {
            polling.close();
        }
    }
}

/// A handle that closes a polling session in the engine.
pub(super) struct PollingSession {
    /// Weak, since the service leads to the engine, whose table of links holds this handle.
    service: Weak<EngineService>,
    sid: String,
}

impl PollingSession {
    pub(super) fn new(service: Weak<EngineService>, sid: &str) -> Self {
        Self {
            service,
            sid: sid.to_owned(),
        }
    }

    fn close(&self) {
        if let Some(service) = self.service.upgrade() {
            service.close_polling(&self.sid);
        }
    }
}

impl fmt::Debug for PollingSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PollingSession")
            .field("sid", &self.sid)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_and_its_link_do_not_keep_each_other() {
        let connection = Connection::new(([127, 0, 0, 1], 1).into());
        let link = Arc::new(Link::new(&Limits::default()));
        link.upgraded(Some(&connection));
        let seen = connection.downgrade();
        drop(connection);
        assert!(seen.upgrade().is_none());
        assert_eq!(Arc::strong_count(&link), 1);
        assert!(!link.kill(), "there is nothing to kill");
    }
}
