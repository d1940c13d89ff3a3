//! A client's membership in the namespace `/`, as far as its packets depend on it.
//!
//! The engine answers a CONNECT in a task of its own, and knows the client only then: an event that
//! comes right behind would end the connection. So what comes meanwhile waits before the engine,
//! and so does what comes behind a DISCONNECT, until the engine has forgotten the client. At the
//! edges: the engine ends a client that is not in the namespace after some seconds, whether it has
//! never sent CONNECT or its authentication takes too long; the session's
//! [`port`](super::port) does so with one that has left.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

use super::inbound_packet::PacketKind;
use crate::Limits;

/// The time after the answer to a CONNECT before which the engine may still ignore another one: it
/// tells that a client has joined a moment before it is done with the CONNECT.
const SETTLING_TIME: Duration = Duration::from_millis(100);

/// Returns the longest time that packets wait for a client that may have gone: the time that the
/// engine takes to authenticate a client at most, and as much again.
pub(super) fn longest_wait(limits: &Limits) -> Duration {
    limits.unauthenticated.saturating_mul(2)
}

/// A client's membership in the namespace.
#[derive(Debug, Default)]
pub(super) struct Membership {
    state: Mutex<MembershipState>,
    changed: Notify,
}

#[derive(Debug, Default, Clone, Copy)]
struct MembershipState {
    stage: MembershipStage,
    /// The time when the last CONNECT was answered.
    answered_at: Option<Instant>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum MembershipStage {
    /// The client has not sent CONNECT.
    #[default]
    New,
    /// The CONNECT is being answered.
    Connecting,
    Member,
    /// The engine is removing the client.
    Leaving,
    /// The client was refused, or has left.
    Outside,
}

impl MembershipState {
    /// Returns whether packets have to wait for the engine.
    const fn is_changing(self) -> bool {
        matches!(
            self.stage,
            MembershipStage::Connecting | MembershipStage::Leaving
        )
    }

    /// Returns when the engine takes another CONNECT, if that is not yet so.
    fn settles_at(self) -> Option<Instant> {
        let settles_at = self.answered_at? + SETTLING_TIME;
        (settles_at > Instant::now()).then_some(settles_at)
    }
}

/// The decision about a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// The engine may have it.
    Pass,
    /// The engine may have it, and ends the connection: the client has not sent CONNECT.
    Premature,
    /// The client is not in the namespace: there is no session for it.
    Drop,
    /// Ask again when the membership has [settled](Membership::settled).
    Wait,
}

impl Membership {
    /// Decides about the next packet of the client, and notes what the engine will do with it.
    pub(super) fn admit(&self, kind: PacketKind) -> Admission {
        let mut state = self.state.lock();
        if !matches!(
            kind,
            PacketKind::Connect | PacketKind::Leave | PacketKind::Event
        ) {
            return Admission::Pass;
        }
        if state.is_changing() {
            return Admission::Wait;
        }
        match (kind, state.stage) {
            (PacketKind::Connect, MembershipStage::Member) => return Admission::Drop,
            (PacketKind::Connect, _) if state.settles_at().is_some() => return Admission::Wait,
            (PacketKind::Connect, _) => state.stage = MembershipStage::Connecting,
            (_, MembershipStage::Outside) => return Admission::Drop,
            (PacketKind::Leave, MembershipStage::Member) => state.stage = MembershipStage::Leaving,
            // As the specification asks.
            (_, MembershipStage::New) => return Admission::Premature,
            _ => {}
        }
        Admission::Pass
    }

    /// Returns whether the client has not sent CONNECT.
    pub(super) fn is_new(&self) -> bool {
        self.state.lock().stage == MembershipStage::New
    }

    /// Records that the CONNECT is answered.
    pub(super) fn join(&self) {
        self.change(|state| {
            state.stage = MembershipStage::Member;
            state.answered_at = Some(Instant::now());
        });
    }

    /// Records that the CONNECT is refused.
    pub(super) fn refuse(&self) {
        self.change(|state| {
            state.stage = MembershipStage::Outside;
            state.answered_at = Some(Instant::now());
        });
    }

    /// Records that the engine has forgotten the client, or that the transport has ended.
    pub(super) fn end(&self) {
        self.change(|state| state.stage = MembershipStage::Outside);
    }

    fn change(&self, change: impl FnOnce(&mut MembershipState)) {
        change(&mut self.state.lock());
        self.changed.notify_waiters();
    }

    /// Waits until the engine has certainly answered what the client has sent. It answers a CONNECT
    /// that is refused a moment after [`refuse`](Self::refuse). Cancel safe.
    pub(super) async fn answered(&self) {
        self.settled(PacketKind::Event).await;
        let state = *self.state.lock();
        if state.stage == MembershipStage::Outside {
            self.settled(PacketKind::Connect).await;
        }
    }

    /// Waits while a packet of this kind has to wait. Cancel safe.
    pub(super) async fn settled(&self, kind: PacketKind) {
        loop {
            // Before the check: a change between the two is not missed.
            let changed = self.changed.notified();
            let state = *self.state.lock();
            if state.is_changing() {
                changed.await;
            } else {
                let settles_at = state.settles_at().filter(|_| kind == PacketKind::Connect);
                if let Some(at) = settles_at {
                    tokio::time::sleep_until(at).await;
                }
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_behind_connect_waits_for_the_answer() {
        let membership = Membership::default();
        assert_eq!(membership.admit(PacketKind::Connect), Admission::Pass);
        for kind in [PacketKind::Event, PacketKind::Leave, PacketKind::Connect] {
            assert_eq!(membership.admit(kind), Admission::Wait, "{kind:?}");
        }
        assert_eq!(membership.admit(PacketKind::Pong), Admission::Pass);
        membership.join();
        assert_eq!(membership.admit(PacketKind::Event), Admission::Pass);
    }

    #[test]
    fn an_event_before_any_connect_is_premature() {
        let membership = Membership::default();
        for kind in [PacketKind::Event, PacketKind::Leave] {
            assert_eq!(membership.admit(kind), Admission::Premature, "{kind:?}");
        }
        assert_eq!(membership.admit(PacketKind::Pong), Admission::Pass);
        assert_eq!(membership.admit(PacketKind::Connect), Admission::Pass);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_reaches_the_engine_for_a_client_that_it_does_not_know() {
        let membership = Membership::default();
        assert_eq!(membership.admit(PacketKind::Connect), Admission::Pass);
        membership.refuse();
        assert_eq!(membership.admit(PacketKind::Event), Admission::Drop);
        assert_eq!(membership.admit(PacketKind::Connect), Admission::Wait);
        membership.settled(PacketKind::Connect).await;
        assert_eq!(membership.admit(PacketKind::Connect), Admission::Pass);
        membership.join();
        assert_eq!(membership.admit(PacketKind::Connect), Admission::Drop);
        assert_eq!(membership.admit(PacketKind::Leave), Admission::Pass);
        assert_eq!(membership.admit(PacketKind::Connect), Admission::Wait);
        membership.end();
        assert_eq!(membership.admit(PacketKind::Leave), Admission::Drop);
        assert_eq!(membership.admit(PacketKind::Connect), Admission::Wait);
        membership.settled(PacketKind::Connect).await;
        assert_eq!(membership.admit(PacketKind::Connect), Admission::Pass);
    }

    #[tokio::test]
    async fn a_waiting_packet_is_woken_by_the_answer() {
        let membership = Membership::default();
        membership.settled(PacketKind::Event).await;
        membership.admit(PacketKind::Connect);
        let settled = membership.settled(PacketKind::Event);
        tokio::pin!(settled);
        assert!(futures_util::poll!(settled.as_mut()).is_pending());
        membership.join();
        settled.await;
    }
}
