//! Sessions: live authenticated connections.
//!
//! A session has one cursor for all its rooms and is in one of two phases. *Live*: the dispatcher
//! appends entries as they come. *Catching up*: it takes nothing from the dispatcher and reads the
//! window, or the log, from its cursor on until it has reached the head. Connecting with an old
//! position, a used-up credit window, a room whose access is being decided again: all are the
//! second phase, so that there is one path to the first.
//!
//! At the edges: a session whose credit window is full takes no more until the socket has taken
//! what it was handed; nothing is lost, since its cursor stays where it was. Inbound events wait
//! meanwhile, too.

mod backlog;
mod catch_up;
mod confirmed;
mod credit;
mod driver;
mod end;
mod handler;
mod inbound;
mod join;
mod port;
mod queue;
mod rechecks;
mod request;
mod resume;
mod retry;
mod start;
mod state;
#[cfg(test)]
mod tests;
mod wire;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use serde_json::value::RawValue;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub(crate) use driver::drive;
pub use end::EndReason;
pub(crate) use handler::{EventHandlers, Handled};
pub(crate) use inbound::{Inbound, InboundQueue};
#[cfg(any(test, feature = "__bench"))]
pub(crate) use port::Nowhere;
pub(crate) use port::{Port, Progress};
pub(crate) use queue::{Outgoing, Volatile};
pub(crate) use request::ConnectRequest;
pub(crate) use start::Start;
pub(crate) use state::{Offered, State};
use wire::POSITION;
pub(crate) use wire::{DRAIN, Refusal, drain as drain_payload};

use crate::{
    Identity, Limits, OrderId, Position, Room, SessionId,
    device::DeviceKey,
    log::{Entry, ResetReason},
    node::{Counters, Node},
    values::{DeviceId, time},
};

/// One live authenticated connection.
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) identity: Identity,
    pub(crate) device: Option<DeviceId>,
    /// What its client is known by when it comes back, if it is.
    pub(crate) device_key: Option<DeviceKey>,
    pub(crate) connected_at: i64,
    /// Where the log was when it began, or, where that could not be said, what was dispatched by
    /// then.
    pub(crate) began_at: Position,
    state: Mutex<State>,
    port: Arc<dyn Port>,
    counters: Arc<Counters>,
    progress: Notify,
    active_at: AtomicI64,
    end: OnceLock<EndReason>,
    ended: CancellationToken,
}

impl Session {
    /// A session in its automatic rooms, catching up from wherever [`Self::begin`] says.
    pub(crate) fn new(
        node: &Node,
        identity: Identity,
        device: Option<DeviceId>,
        began_at: Position,
        port: Arc<dyn Port>,
    ) -> Self {
        let now = time::unix_ms();
        let device_key = node.devices().key(&identity, device.as_ref());
        let automatic = automatic_rooms(&identity);
        Self {
            id: SessionId::random(),
            identity,
            device,
            device_key,
            connected_at: now,
            began_at,
            state: Mutex::new(State::new(automatic, node.limits())),
            port,
            counters: Arc::clone(node.counters()),
            progress: Notify::new(),
            active_at: AtomicI64::new(now),
            end: OnceLock::new(),
            ended: CancellationToken::new(),
        }
    }

    /// A poisoned lock is taken over: no method leaves the state half changed.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rooms that it is in.
    pub(crate) fn rooms(&self) -> BTreeSet<Room> {
        self.state().rooms().cloned().collect()
    }

    /// Whether one more room is within the limit.
    pub(crate) fn room_is_free(&self, limits: &Limits) -> bool {
        self.state().room_count() < limits.rooms_per_session
    }

    /// Offers an entry of `room`, in log order.
    pub(crate) fn offer(&self, entry: &Arc<Entry>, room: &Room) -> Offered {
        let mut state = self.state();
        self.settle(&mut state);
        state.offer(entry, room)
    }

    /// Offers a volatile event of `room`.
    pub(crate) fn offer_volatile(&self, event: &Arc<Volatile>, room: &Room) -> bool {
        let mut state = self.state();
        self.settle(&mut state);
        let offered = state.offer_volatile(event, room);
        self.counters
            .volatile_replaced
            .add(usize::from(offered.is_some_and(|replaced| replaced)));
        offered.is_some()
    }

    /// The room's access is to be decided anew, before anything more of it is handed over than what
    /// was `offered`.
    pub(crate) fn recheck(&self, order: &OrderId, offered: u64) {
        self.state().recheck(order, offered);
        self.port.wake();
    }

    /// The same of all orders whose rooms it is in.
    pub(crate) fn recheck_all(&self, offered: u64) {
        self.state().recheck_all(offered);
        self.port.wake();
    }

    /// Entries after `n` were not dispatched: reads for itself from there.
    pub(crate) fn fall_back(&self, n: u64) {
        self.state().fall_back(n);
        self.port.wake();
    }

    /// Queues an event of this system.
    pub(crate) fn push_control(&self, name: &'static str, payload: Box<RawValue>) {
        self.push(Outgoing::control(name, payload));
    }

    /// Queues anything that is not an entry.
    pub(crate) fn push(&self, outgoing: Outgoing) {
        self.state().push(outgoing);
        self.port.wake();
    }

    /// Queues a refusal. Dropped where the client has long stopped reading.
    fn push_refusal(&self, refusal: Outgoing) {
        self.state().push_refusal(refusal);
        self.port.wake();
    }

    /// Takes what is to be written next.
    pub(crate) fn take(&self) -> Option<Outgoing> {
        let mut state = self.state();
        self.settle(&mut state);
        state.take()
    }

    /// The history so far is not the log's any more: the client is to reload.
    pub(crate) fn lose_history(&self) {
        self.state().lose(ResetReason::EpochChanged);
        self.port.wake();
    }

    /// Tells the client where it stands, where it was told nothing for `age` entries: a live
    /// session was offered all that was dispatched.
    pub(crate) fn tell_position(&self, dispatched: Position, age: u64) {
        let mut state = self.state();
        if state.is_told_too_little(dispatched, age) && state.has_credit(0) {
            state.skip_to(dispatched.n());
            state.push(Outgoing::at(
                POSITION,
                wire::position(dispatched),
                dispatched,
            ));
            drop(state);
            self.port.wake();
        }
    }

    /// Gives credit back for what has been written since. Without a count, what was handed over
    /// counts as written. Answers how many pings the client has answered.
    fn settle(&self, state: &mut State) -> u64 {
        let Some(progress) = self.port.progress() else {
            state.settle_all();
            return 0;
        };
        state.settle(progress);
        progress.pongs
    }

    /// Whether the session may be handed something of `size` bytes now.
    pub(crate) fn has_credit(&self, size: usize) -> bool {
        let mut state = self.state();
        self.settle(&mut state);
        state.has_credit(size)
    }

    /// Waits until it may. Cancel safe.
    async fn credit_for(&self, size: usize) {
        loop {
            let progress = self.progress.notified();
            if self.has_credit(size) {
                return;
            }
            progress.await;
        }
    }

    /// Waits until everything that was handed over is written, or the session has ended. Cancel
    /// safe.
    pub(crate) async fn flushed(&self) {
        let written = async {
            loop {
                let progress = self.progress.notified();
                let waiting = {
                    let mut state = self.state();
                    self.settle(&mut state);
                    state.in_flight()
                };
                if waiting == 0 {
                    return;
                }
                progress.await;
            }
        };
        tokio::select! {
            () = written => {}
            () = self.ended() => {}
        }
    }

    /// How many packets wait here or in the transport.
    pub(crate) fn waiting(&self) -> usize {
        self.state().in_flight()
    }

    /// The client did something.
    pub(crate) fn touch(&self) {
        self.active_at.store(time::unix_ms(), Ordering::Relaxed);
    }

    /// When the client last did something, in ms since the Unix epoch.
    pub(crate) fn active_at(&self) -> i64 {
        self.active_at.load(Ordering::Relaxed)
    }

    /// Ends the session. The first reason counts.
    pub(crate) fn end(&self, end: EndReason) {
        if self.end.set(end).is_ok() {
            self.ended.cancel();
            self.port.close(end);
        }
    }

    /// Why it ended.
    pub(crate) fn ended_by(&self) -> Option<EndReason> {
        self.end.get().copied()
    }

    /// Waits for the end. Cancel safe.
    pub(crate) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    pub(crate) fn wake(&self) {
        self.port.wake();
    }

    #[cfg(all(test, feature = "testing"))]
    pub(crate) fn port(&self) -> &dyn Port {
        &*self.port
    }
}

/// The rooms that every session is in: everyone, its role's, its user's.
fn automatic_rooms(identity: &Identity) -> [Room; 3] {
    [
        Room::Everyone,
        Room::Role(identity.role),
        Room::User(identity.user.clone()),
    ]
}
