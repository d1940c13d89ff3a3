//! The session itself: its identity, its state, and what the node does to it.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};

use parking_lot::{Mutex, MutexGuard, RwLock};
use serde_json::value::RawValue;
use tokio::sync::Notify;

use super::{
    EndReason, Offered, Outgoing, Phase, Port, SessionIdentity, Volatile, finish::AfterEnd,
    phase::Intake, state::SessionState, volatile_queue::VolatileOffered, wire, wire::POSITION,
};
use crate::{
    Identity, Limits, OrderId, Position, Room, UserId,
    log::Entry,
    node::{Counters, Node},
    values::{DeviceId, SessionId, time},
};

/// The result of taking packets from the queue of a session.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) packets: usize,
    /// The number of entries of the log among them.
    pub(crate) entries: usize,
    /// Others wait: there was no space or no credit for them, or it is not their turn.
    pub(crate) has_more: bool,
    /// The session is [quiet](Session::is_quiet).
    pub(crate) is_quiet: bool,
}

/// One live authenticated connection.
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) user: UserId,
    /// Read and replaced for a moment, with or without other locks.
    pub(super) identity: RwLock<Arc<SessionIdentity>>,
    pub(crate) device: Option<DeviceId>,
    /// In ms since the Unix epoch.
    pub(crate) connected_at: i64,
    /// The head of the log when the session started, or the node's window head if the log could not
    /// be read then.
    pub(crate) started_at: Position,
    state: Mutex<SessionState>,
    pub(super) port: Arc<dyn Port>,
    pub(super) counters: Arc<Counters>,
    /// Notified after the session's task has written.
    pub(super) written: Notify,
    /// Notified after a recheck was decided.
    pub(super) decided: Notify,
    /// The time when the client last did something, in ms since the Unix epoch.
    active_at: AtomicI64,
    /// The pings that the client has answered, as known at `heard_at`.
    pub(super) pongs: AtomicU64,
    /// The time when the client last did something or answered a ping, in ms since the Unix epoch.
    pub(super) heard_at: AtomicI64,
    /// The dispatcher is to deliver what is queued.
    is_to_deliver: AtomicBool,
    end_reason: OnceLock<EndReason>,
    /// Notified when `end_reason` is set.
    ended: Notify,
    pub(super) after_end: AfterEnd,
}

impl Session {
    /// Returns a session in its automatic rooms, in the phase in which its client has just
    /// connected.
    pub(crate) fn new(
        node: &Node,
        identity: Identity,
        device: Option<DeviceId>,
        phase: Phase,
        port: Arc<dyn Port>,
    ) -> Self {
        let now = time::unix_ms();
        let device_key = node.devices().key(&identity, device.as_ref());
        let automatic = automatic_rooms(&identity);
        let log_head = phase.log_head_at_connect();
        Self {
            id: SessionId::random(),
            user: identity.user.clone(),
            identity: RwLock::new(Arc::new(SessionIdentity::new(identity, device_key, now))),
            device,
            connected_at: now,
            started_at: log_head.unwrap_or_else(|| node.window().head()),
            state: Mutex::new(SessionState::new(automatic, node.limits(), phase)),
            port,
            counters: Arc::clone(node.counters()),
            written: Notify::new(),
            decided: Notify::new(),
            active_at: AtomicI64::new(now),
            pongs: AtomicU64::new(0),
            heard_at: AtomicI64::new(now),
            is_to_deliver: AtomicBool::new(false),
            end_reason: OnceLock::new(),
            ended: Notify::new(),
            after_end: AfterEnd::default(),
        }
    }

    /// Locks the session's state.
    pub(crate) fn state(&self) -> MutexGuard<'_, SessionState> {
        self.state.lock()
    }

    /// Returns the rooms that the session is in.
    pub(crate) fn rooms(&self) -> BTreeSet<Room> {
        self.state().rooms().cloned().collect()
    }

    /// Returns whether the session may join one more room.
    pub(super) fn may_join_another_room(&self, limits: &Limits) -> bool {
        self.state().room_count() < limits.rooms_per_session
    }

    /// Offers an entry of `room`. Entries are offered in log order.
    pub(crate) fn offer(&self, entry: &Arc<Entry>, room: &Room) -> Offered {
        let mut state = self.state();
        self.apply_progress(&mut state);
        state.offer(entry, room)
    }

    /// Offers a volatile event, for the room with this index among those that it was sent to.
    /// Returns whether it was queued.
    pub(crate) fn offer_volatile(&self, event: &Arc<Volatile>, index: usize) -> bool {
        let mut state = self.state();
        self.apply_progress(&mut state);
        match state.offer_volatile(event, index) {
            VolatileOffered::NotWanted => false,
            VolatileOffered::Queued { dropped } => {
                self.counters.volatile_replaced.add(dropped);
                true
            }
        }
    }

    /// Requests that access to the order's room be decided again. Nothing after entry `offered`,
    /// the last one that was offered, and nothing of that room, is handed over before that.
    pub(crate) fn recheck(&self, order: &OrderId, offered: u64) {
        self.state().recheck(order, offered);
        self.port.wake();
    }

    /// Requests the same as [`recheck`](Self::recheck) for every order room of the session.
    pub(crate) fn recheck_all(&self, offered: u64) {
        self.state().recheck_all(offered);
        self.port.wake();
    }

    /// Returns whether the session is deciding access to an order room again.
    pub(crate) fn is_rechecking(&self) -> bool {
        self.state().is_rechecking()
    }

    /// Makes a live session catch up from `n`, since entries after it were not dispatched.
    pub(crate) fn fall_back(&self, n: u64) {
        self.state().fall_back(n);
        self.port.wake();
    }

    /// Queues an `rt:` event.
    pub(crate) fn push_control(&self, name: &'static str, payload: Box<RawValue>) {
        self.push(Outgoing::control(name, payload));
    }

    /// Queues a packet that is not an entry.
    pub(super) fn push(&self, outgoing: Outgoing) {
        self.state().outbox_mut().push(outgoing);
        self.port.wake();
    }

    /// Queues a refusal. Drops it if the client has not read for long.
    pub(super) fn push_refusal(&self, refusal: Outgoing) {
        self.state().outbox_mut().push_refusal(refusal);
        self.port.wake();
    }

    /// Returns the inbound events that the session takes now.
    pub(super) fn intake(&self) -> Intake {
        let mut state = self.state();
        self.apply_progress(&mut state);
        state.intake()
    }

    /// Removes the next packet to write from the queue. Returns `None` if there is none, if the
    /// transport is to write some others first, or when the session has ended: nothing follows
    /// [`last_packet`](Self::last_packet).
    pub(crate) fn take(&self) -> Option<Outgoing> {
        if self.ended_by().is_some() {
            return None;
        }
        let max_unwritten = self.port.max_unwritten();
        let mut state = self.state();
        self.apply_progress(&mut state);
        state.take(max_unwritten)
    }

    /// Removes up to `max` packets from the queue, as [`take`](Self::take) does, and hands each to
    /// `receive`.
    pub(crate) fn take_packets(&self, max: usize, mut receive: impl FnMut(Outgoing)) -> Taken {
        if self.ended_by().is_some() {
            return Taken::default();
        }
        let max_unwritten = self.port.max_unwritten();
        let mut taken = Taken::default();
        let mut state = self.state();
        self.apply_progress(&mut state);
        while taken.packets < max
            && let Some(packet) = state.take(max_unwritten)
        {
            taken.packets += 1;
            taken.entries += usize::from(packet.is_entry());
            receive(packet);
        }
        taken.has_more = !state.outbox().is_empty();
        taken.is_quiet = state.is_quiet();
        taken
    }

    /// Discards the session's history, since the log has a new epoch: the client is told to reload.
    pub(crate) fn lose_history(&self) {
        self.state().lose_history();
        self.port.wake();
    }

    /// Sends `rt:position` to a live client whose last position is at least `max_age` entries older
    /// than `dispatched`. A live session was offered every dispatched entry, so that it may be told
    /// that position.
    pub(crate) fn send_position_if_stale(&self, dispatched: Position, max_age: u64) {
        let mut state = self.state();
        if !state.is_position_stale(dispatched, max_age) || !state.outbox().has_credit(0) {
            return;
        }
        state.advance_to(dispatched.n());
        state.outbox_mut().push(Outgoing::control_at(
            POSITION,
            wire::position(dispatched),
            dispatched,
        ));
        // The port is woken without the lock: it may take from the queue at once.
        drop(state);
        self.port.wake();
    }

    /// Records that the client did something.
    pub(super) fn touch(&self) {
        let now = time::unix_ms();
        self.active_at.store(now, Ordering::Relaxed);
        self.heard_at.store(now, Ordering::Relaxed);
    }

    /// Returns when the client last did something, in ms since the Unix epoch.
    pub(crate) fn active_at(&self) -> i64 {
        self.active_at.load(Ordering::Relaxed)
    }

    /// Ends the session. Only the first reason counts.
    pub(crate) fn end(&self, reason: EndReason) {
        if self.end_reason.set(reason).is_ok() {
            self.ended.notify_waiters();
            self.port.close(reason);
        }
    }

    /// Returns why the session ended; `None` while it lives.
    pub(crate) fn ended_by(&self) -> Option<EndReason> {
        self.end_reason.get().copied()
    }

    /// Returns the packet to write after the session has ended: it tells the client why. `None` if
    /// the session lives, or if its client is sent nothing.
    pub(super) fn last_packet(&self) -> Option<Outgoing> {
        let reason = self.ended_by()?;
        Some(Outgoing::End {
            payload: wire::end(reason.code_for_client()?),
            stays_away: reason.stays_away(),
        })
    }

    /// Waits until the session has ended. Cancel safe.
    pub(crate) async fn ended(&self) {
        let ended = self.ended.notified();
        if self.ended_by().is_none() {
            ended.await;
        }
    }

    /// Wakes the session's task.
    pub(crate) fn wake(&self) {
        self.port.wake();
    }

    /// Records that what is queued is to be delivered. Returns whether that was not known: a
    /// session takes several entries of a batch, and delivers once.
    pub(crate) fn note_delivery(&self) -> bool {
        !self.is_to_deliver.swap(true, Ordering::AcqRel)
    }

    /// Takes what is queued, if the transport can write it on this thread: call
    /// [`write_delivery`](Self::write_delivery) then.
    pub(crate) fn prepare_delivery(&self) -> Option<Taken> {
        // Before the packets are taken: what is queued from here on is delivered again.
        self.is_to_deliver.store(false, Ordering::Release);
        self.port.prepare(self)
    }

    /// Writes what was taken.
    pub(crate) fn write_delivery(&self, taken: Taken) {
        self.port.write(self, taken);
    }

    /// Frees the memory of queues that are empty.
    pub(crate) fn free_memory(&self) {
        self.state().outbox_mut().free_memory();
    }

    /// Returns whether the session has nothing to do but to deliver what it is offered: its task
    /// may rest until it is woken.
    pub(super) fn is_quiet(&self) -> bool {
        self.ended_by().is_none() && self.state().is_quiet()
    }

    #[cfg(all(test, feature = "testing"))]
    pub(crate) fn port(&self) -> &dyn Port {
        &*self.port
    }
}

/// Returns the rooms that every session is in: everyone, its role's, its user's.
fn automatic_rooms(identity: &Identity) -> [Room; 3] {
    [
        Room::Everyone,
        Room::Role(identity.role),
        Room::User(identity.user.clone()),
    ]
}
