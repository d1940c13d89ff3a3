//! A client's membership in the namespace `/`, as far as its packets depend on it.
//!
//! The engine answers a CONNECT in a task of its own, and knows the client only then: an event that
//! comes right behind would end the connection. So what comes meanwhile waits before the engine,
//! and so does what comes behind a DISCONNECT, until the engine has forgotten the client. At the
//! edges: the engine ends a client that is not in the namespace after some seconds, whether it has
//! never sent CONNECT or its authentication takes too long; the session's
//! [`port`](super::port) does so with one that has left.

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::inbound_packet::PacketKind;

/// A client's membership in the namespace.
#[derive(Debug, Default)]
pub(super) struct Membership {
    stage: Mutex<MembershipStage>,
    changed: Notify,
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

/// What is to be done with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// The engine may have it.
    Pass,
    /// Nobody is there for it.
    Drop,
    /// Ask again after the next change.
    Wait,
}

impl Membership {
    /// Decides about the next packet of the client, and notes what the engine will do with it.
    pub(super) fn admit(&self, kind: PacketKind) -> Admission {
        let mut stage = self.stage.lock();
        match (kind, *stage) {
            (PacketKind::Pong | PacketKind::Other, _) => return Admission::Pass,
            (_, MembershipStage::Connecting | MembershipStage::Leaving) => return Admission::Wait,
            (PacketKind::Event | PacketKind::Leave, MembershipStage::Outside) => {
                return Admission::Drop;
            }
            (PacketKind::Connect, MembershipStage::New | MembershipStage::Outside) => {
                *stage = MembershipStage::Connecting
            }
            (PacketKind::Leave, MembershipStage::Member) => *stage = MembershipStage::Leaving,
            // An event before any CONNECT: the engine ends the connection, as the specification
            // asks. A second CONNECT of a member is ignored by it.
            _ => {}
        }
        Admission::Pass
    }

    /// Records that the CONNECT is answered.
    pub(super) fn join(&self) {
        self.change(MembershipStage::Member);
    }

    /// Records that the engine has refused the client, or forgotten it.
    pub(super) fn end(&self) {
        self.change(MembershipStage::Outside);
    }

    fn change(&self, stage: MembershipStage) {
        *self.stage.lock() = stage;
        self.changed.notify_waiters();
    }

    /// Waits while packets have to wait. Cancel safe.
    pub(super) async fn settled(&self) {
        loop {
            // Before the check: a change between the two is not missed.
            let changed = self.changed.notified();
            let stage = *self.stage.lock();
            if !matches!(
                stage,
                MembershipStage::Connecting | MembershipStage::Leaving
            ) {
                return;
            }
            changed.await;
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
    fn nothing_reaches_the_engine_for_a_client_that_it_does_not_know() {
        let membership = Membership::default();
        assert_eq!(membership.admit(PacketKind::Connect), Admission::Pass);
        membership.end();
        assert_eq!(membership.admit(PacketKind::Event), Admission::Drop);
        assert_eq!(membership.admit(PacketKind::Connect), Admission::Pass);
        membership.join();
        assert_eq!(membership.admit(PacketKind::Leave), Admission::Pass);
        assert_eq!(membership.admit(PacketKind::Connect), Admission::Wait);
        membership.end();
        assert_eq!(membership.admit(PacketKind::Leave), Admission::Drop);
        assert_eq!(membership.admit(PacketKind::Connect), Admission::Pass);
    }

    #[tokio::test]
    async fn who_waits_is_woken_by_the_answer() {
        let membership = Membership::default();
        membership.settled().await;
        membership.admit(PacketKind::Connect);
        let settled = membership.settled();
        tokio::pin!(settled);
        assert!(futures_util::poll!(settled.as_mut()).is_pending());
        membership.join();
        settled.await;
    }
}
