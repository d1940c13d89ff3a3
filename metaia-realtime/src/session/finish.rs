//! The work that a session finishes after its end: its handler, and the events before a DISCONNECT.
//!
//! - A handler that has begun runs to its end, whatever ended the session: it may have changed
//!   something, and must not stop half-way.
//! - If the client left, or its connection broke, the events that had arrived before are handled,
//!   too, one at a time and in order: the client has sent them, and cannot know that they were
//!   dropped. This stops if the client's user or this session is disconnected meanwhile, or if the
//!   token expires or is revoked. Nothing begins after the server has ended the session.
//! - Joins and leaves are for live sessions only.
//!
//! The answers are written to nobody. At most 256 KiB of events wait (`Limits::inbound_bytes`), and
//! the node bounds how many sessions of a user finish at a time ([`FinishingPlace`]); beyond that,
//! and at the deadline of a drain, everything is dropped.

use std::{
    collections::VecDeque,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{FutureExt as _, future::BoxFuture};

use super::{
    EndReason, Inbound, InboundEvents, Session, backlog::Backlog, parsed_event::ParsedEvent,
};
use crate::{
    Position,
    node::{FinishingPlace, Node},
};

/// The facts that matter about a session after its end.
#[derive(Default)]
pub(super) struct AfterEnd {
    removal: OnceLock<SessionRemoval>,
    /// Its user was disconnected after the end, or the session itself.
    has_stopped_beginning: AtomicBool,
}

/// The state of a node when it removed a session: later disconnects did not find it among the
/// sessions that live.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionRemoval {
    /// The position up to which the node had dispatched its log.
    pub(crate) dispatched: Position,
    /// The number of times that the node had stopped sessions that finish.
    pub(crate) stops: u64,
}

/// The inbound events of a session, and the one that is being handled.
pub(super) struct InboundWork {
    pub(super) events: Backlog,
    pub(super) handling: Option<BoxFuture<'static, ()>>,
}

impl InboundWork {
    pub(super) fn new(events: InboundEvents) -> Self {
        Self {
            events: Backlog::new(events),
            handling: None,
        }
    }

    /// Finishes what the session, which has ended, has begun.
    pub(super) fn finish(self, session: &Arc<Session>, node: &Arc<Node>) {
        let waiting = waiting_events(self.events, session, node);
        if self.handling.is_none() && waiting.is_empty() {
            return;
        }
        // From here on the session is found again by those who disconnect its user.
        let place = node.finishing().enter(session);
        let handling = self.handling.and_then(unless_done);
        if handling.is_none() && waiting.is_empty() {
            return;
        }
        let Some(place) = place else {
            return report_dropped(session, handling.is_some(), waiting.len());
        };
        let finishing = Finishing {
            session: Arc::clone(session),
            node: Arc::clone(node),
            handling,
            waiting,
        };
        node.tasks().spawn(finishing.run(place));
    }
}

/// Returns the future, unless it is done. Those of the session's own events are done as soon as the
/// session has ended, and so is one that would begin now and must not.
fn unless_done(mut handling: BoxFuture<'static, ()>) -> Option<BoxFuture<'static, ()>> {
    let is_done = (&mut handling).now_or_never().is_some();
    (!is_done).then_some(handling)
}

/// Returns the events that wait and have a handler, if they are to be handled after the end.
fn waiting_events(events: Backlog, session: &Session, node: &Node) -> VecDeque<Inbound> {
    let is_left = session.ended_by().is_some_and(EndReason::is_by_client);
    if !is_left {
        return VecDeque::new();
    }
    let mut waiting = events.into_waiting();
    waiting.retain(|event| match ParsedEvent::read(&event.json) {
        ParsedEvent::Plain { name, .. } => node.handlers().has(name),
        _ => false,
    });
    waiting
}

fn report_dropped(session: &Session, has_begun: bool, waiting: usize) {
    tracing::warn!(
        session = %session.id,
        user = %session.user,
        has_begun,
        waiting,
        "events of a session that has ended are dropped: too many handlers of sessions of its \
         user that have ended are still running"
    );
}

/// A session that has ended and has not finished.
struct Finishing {
    session: Arc<Session>,
    node: Arc<Node>,
    handling: Option<BoxFuture<'static, ()>>,
    waiting: VecDeque<Inbound>,
}

impl Finishing {
    /// Runs to the end, or until the node stops. `place` is given back then.
    async fn run(self, place: FinishingPlace) {
        let stopping = self.node.stopping().clone();
        tokio::select! {
            biased;
            () = stopping.cancelled() => {}
            () = self.handle_all() => {}
        }
        drop(place);
    }

    async fn handle_all(self) {
        if let Some(handling) = self.handling {
            handling.await;
        }
        for event in self.waiting {
            let session = Arc::clone(&self.session);
            session.handle(Arc::clone(&self.node), event).await;
        }
    }
}

impl Session {
    /// Records what had happened before the node removes the session. Only the first call counts.
    pub(crate) fn note_removal(&self, removal: SessionRemoval) {
        self.after_end.removal.set(removal).ok();
    }

    /// Returns what had happened before the node removed the session; `None` if it has not.
    pub(crate) fn removal(&self) -> Option<SessionRemoval> {
        self.after_end.removal.get().copied()
    }

    /// Lets no further event begin to be handled, though the client has left by itself.
    pub(crate) fn stop_beginning(&self) {
        let stopped = &self.after_end.has_stopped_beginning;
        stopped.store(true, Ordering::Release);
    }

    /// Returns whether an event of the client may begin to be handled now.
    pub(super) fn may_begin_event(&self, node: &Node) -> bool {
        let Some(reason) = self.ended_by() else {
            return true;
        };
        let is_stopped = self.after_end.has_stopped_beginning.load(Ordering::Acquire);
        reason.is_by_client()
            && !is_stopped
            && !self.is_expired()
            && !node.is_revoked(self)
            && !node.was_disconnected_after_end(self)
    }
}
