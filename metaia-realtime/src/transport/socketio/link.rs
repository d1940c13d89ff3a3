//! A link: the state of one Engine.IO session that began with polling.

use std::{
    fmt,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

use super::{
    engine_service::EngineService,
    entry_times::EntryTimes,
    handshake::{OpeningHandshake, description},
    membership::Membership,
    read_budget::ReadBudget,
    scan::Written,
    session_slot::SessionSlot,
    upgrade_state::UpgradeState,
    write_counts::WriteCounts,
};
use crate::{
    Limits,
    node::{ClientDescription, Counters, TransportKind},
    session::EndReason,
    transport::guard::Observer,
    values::{Moment, after},
};

/// The path of one Engine.IO session to its client. All counts begin with the Engine.IO session.
pub(super) struct Link {
    pub(super) polling: PollingSession,
    /// The token of the handshake, for a CONNECT that brings none.
    pub(super) token: Option<Box<str>>,
    /// The client of the handshake, until its first session begins.
    client: Mutex<Option<Box<ClientDescription>>>,
    pub(super) opened_at: Instant,
    /// Packets handed to the engine, which writes them in order.
    handed_over: AtomicU64,
    pub(super) counts: WriteCounts,
    /// Set with the first session.
    entry_times: OnceLock<EntryTimes>,
    refused_connects: AtomicU32,
    pub(super) read_budget: Arc<ReadBudget>,
    /// The client's membership in the namespace.
    pub(super) membership: Membership,
    /// The upgrade of the session to a WebSocket.
    pub(super) upgrade: UpgradeState,
    /// The number of CONNECTs that were accepted.
    joins: AtomicU32,
    /// The client's session, if it has one.
    session: Mutex<Weak<SessionSlot>>,
    /// The reason why the transport ended the link.
    lost: OnceLock<EndReason>,
    /// Wakes the task of the session, and nothing else: a wake that another one takes is lost.
    pub(super) wake: Notify,
    /// Notified when the engine has written packets.
    has_written: Notify,
    /// The session's work is to go on elsewhere.
    pub(super) pause: AtomicBool,
    /// The WebSocket, once it is served without the engine.
    websocket: OnceLock<Arc<dyn Observer>>,
}

impl Link {
    /// Creates the link of an Engine.IO session that was opened now.
    pub(super) fn new(
        limits: &Limits,
        polling: PollingSession,
        handshake: OpeningHandshake,
    ) -> Self {
        Self {
            polling,
            token: handshake.token,
            client: Mutex::new(handshake.client),
            opened_at: Instant::now(),
            handed_over: AtomicU64::new(0),
            counts: WriteCounts::default(),
            entry_times: OnceLock::new(),
            refused_connects: AtomicU32::new(0),
            read_budget: Arc::new(ReadBudget::new(limits)),
            membership: Membership::default(),
            upgrade: UpgradeState::default(),
            joins: AtomicU32::new(0),
            session: Mutex::default(),
            lost: OnceLock::new(),
            wake: Notify::new(),
            has_written: Notify::new(),
            pause: AtomicBool::new(false),
            websocket: OnceLock::new(),
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

    /// Times the entries of the link's sessions from here on.
    pub(super) fn time_entries(&self, counters: &Arc<Counters>) {
        self.entry_times.get_or_init(|| EntryTimes::new(counters));
    }

    /// Counts a packet that is handed to the engine: a live entry that was committed at
    /// `committed`, or another packet.
    pub(super) fn hand_over(&self, committed: Option<Moment>) {
        let number = self.handed_over.fetch_add(1, Ordering::AcqRel);
        if let Some(times) = self.entry_times.get() {
            times.hand_over(number, committed);
        }
    }

    /// Takes back a packet that the engine has refused.
    pub(super) fn take_back(&self) {
        self.handed_over.fetch_sub(1, Ordering::AcqRel);
    }

    /// Waits until the engine has written all packets. Cancel safe.
    pub(super) async fn all_written(&self) {
        loop {
            // Before the check: a write between the two is not missed.
            let has_written = self.has_written.notified();
            if self.unwritten() == 0 {
                return;
            }
            has_written.await;
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

    /// Records the session of a CONNECT that is accepted.
    pub(super) fn join(&self, session: &Arc<SessionSlot>) {
        self.read_budget.join();
        *self.client.lock() = None;
        *self.session.lock() = Arc::downgrade(session);
        self.joins.fetch_add(1, Ordering::AcqRel);
    }

    /// Returns the client, with what is still known of its handshake.
    pub(super) fn client(&self) -> ClientDescription {
        description(self.client.lock().as_deref(), TransportKind::Polling)
    }

    /// Returns the client, unless it was forgotten, and forgets its handshake.
    pub(super) fn forget_client(&self) -> Option<ClientDescription> {
        let client = self.client.lock().take()?;
        Some(client.now_over(TransportKind::Polling))
    }

    /// Returns the time by which a CONNECT must be answered: the transport ends then. For a client
    /// that comes back, the time for the answer begins when the time for CONNECT ends.
    pub(super) fn answer_deadline(&self, limits: &Limits) -> Instant {
        let time = limits.unauthenticated;
        match self.upgrade.ended() {
            None => after(self.opened_at, time),
            Some(left) => after(left.at, time.saturating_mul(2)),
        }
    }

    /// Returns the handshake, for a client that moves.
    pub(super) fn handshake(&self) -> OpeningHandshake {
        OpeningHandshake {
            token: self.token.clone(),
            client: self.client.lock().clone(),
        }
    }

    /// Returns the session of the last CONNECT that was accepted, unless its socket is gone.
    pub(super) fn session(&self) -> Option<Arc<SessionSlot>> {
        self.session.lock().upgrade()
    }

    /// Returns the number of accepted CONNECTs.
    pub(super) fn joins(&self) -> u32 {
        self.joins.load(Ordering::Acquire)
    }

    /// Counts a refused CONNECT and returns the total.
    pub(super) fn add_refused_connect(&self) -> u32 {
        self.refused_connects.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Returns the number of refused CONNECTs.
    pub(super) fn refused_connects(&self) -> u32 {
        self.refused_connects.load(Ordering::Acquire)
    }

    /// Lets the session's task return the session's work.
    pub(super) fn pause_session(&self) {
        self.pause.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// Records that `websocket` is served without the engine. A link that is lost later loses it.
    pub(super) fn move_to(&self, websocket: Arc<dyn Observer>) {
        self.websocket.set(websocket).ok();
    }
}

/// The traffic of the engine.
impl Link {
    /// Counts packets that were written to the client.
    pub(super) fn written(&self, written: Written) {
        let has_packets = written.packets > 0;
        let before = self.counts.written();
        self.counts.add(written);
        if let Some(times) = self.entry_times.get() {
            times.written(before, written.packets);
        }
        if has_packets {
            self.has_written.notify_waiters();
            self.wake.notify_one();
        }
    }

    /// Records a pong of the client.
    pub(super) fn pong(&self) {
        self.counts.pong();
        self.wake.notify_one();
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("sid", &self.polling.sid)
            .finish_non_exhaustive()
    }
}

impl Observer for Link {
    /// Ends the Engine.IO session on every connection. The first reason is kept.
    fn lose(&self, why: EndReason) {
        self.lost.set(why).ok();
        self.membership.end();
        if self.upgrade.close() {
            self.polling.close();
        } else if let Some(websocket) = self.websocket.get() {
            websocket.lose(why);
        }
    }
}

/// A handle of a session in the engine.
pub(super) struct PollingSession {
    /// Weak, since the service leads to the engine, whose table of links holds this handle.
    service: Weak<EngineService>,
    pub(super) sid: String,
}

impl PollingSession {
    pub(super) fn new(service: Weak<EngineService>, sid: &str) -> Self {
        Self {
            service,
            sid: sid.to_owned(),
        }
    }

    /// Closes the session in the engine.
    pub(super) fn close(&self) {
        if let Some(service) = self.service.upgrade() {
            service.close_polling(&self.sid);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt as _, poll};

    use super::*;

    #[tokio::test]
    async fn who_waits_for_writes_takes_no_wake_from_the_session() {
        let polling = PollingSession::new(Weak::new(), "sid");
        let link = Link::new(&Limits::default(), polling, OpeningHandshake::default());
        link.hand_over(None);
        let mut writes = Box::pin(link.all_written());
        assert!(poll!(&mut writes).is_pending());
        let mut woken = Box::pin(link.wake.notified());
        assert!(poll!(&mut woken).is_pending());
        link.pause_session();
        assert!(woken.now_or_never().is_some(), "the session stays asleep");
        link.written(Written {
            packets: 1,
            before_ping: None,
        });
        assert!(writes.now_or_never().is_some());
    }
}
