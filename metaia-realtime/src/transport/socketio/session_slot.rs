//! The session of a socket, which may be taken away from it.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::task::JoinHandle;

use super::{joined_session::JoinedSession, port_switch::PortSwitch};
use crate::session::{EndReason, Inbound, InboundEvents, SessionDriver};

/// A place for the session of one socket.
pub(super) struct SessionSlot(Mutex<Option<AttachedSession>>);

/// A session, and what its socket needs for it.
pub(super) struct AttachedSession {
    pub(super) joined: JoinedSession,
    pub(super) port: Arc<PortSwitch>,
    pub(super) work: SessionTask,
}

/// The task of a session.
pub(super) enum SessionTask {
    /// The receiving end of the session's inbound events, until the task has it. The middleware
    /// must attach the session before CONNECT is answered, the task begins after that, and
    /// socketioxide gives the connect handler nothing but clones of the socket's extensions: so the
    /// handler takes the receiver out of the attachment that both share.
    Waiting(InboundEvents),
    /// Returns the session's work if it was paused.
    Running(JoinHandle<Option<SessionDriver>>),
    /// It could not begin.
    None,
}

impl SessionSlot {
    pub(super) const fn new(attached: AttachedSession) -> Self {
        Self(Mutex::new(Some(attached)))
    }

    /// Takes the session away from the socket, which cannot end it any more.
    pub(super) fn take(&self) -> Option<AttachedSession> {
        self.0.lock().take()
    }

    /// Begins the session's task with its inbound events, unless it has begun.
    pub(super) fn begin_task(
        &self,
        begin: impl FnOnce(&JoinedSession, InboundEvents) -> JoinHandle<Option<SessionDriver>>,
    ) {
        let mut attached = self.0.lock();
        let Some(attached) = &mut *attached else {
            return;
        };
        attached.work = match std::mem::replace(&mut attached.work, SessionTask::None) {
            SessionTask::Waiting(events) => SessionTask::Running(begin(&attached.joined, events)),
            begun => begun,
        };
    }

    /// Queues an inbound event.
    pub(super) fn offer(&self, event: Inbound) {
        if let Some(attached) = &*self.0.lock() {
            let JoinedSession {
                inbound, session, ..
            } = &attached.joined;
            inbound.offer(session, event);
        }
    }

    /// Ends the session, if the socket has it.
    pub(super) fn end(&self, reason: EndReason) {
        if let Some(attached) = &*self.0.lock() {
            let JoinedSession { node, session, .. } = &attached.joined;
            node.end(session, reason);
        }
    }
}

impl AttachedSession {
    /// Waits for the session's task, which was asked to pause. Returns the session with its work. A
    /// session that has ended, or whose task has panicked, has none.
    pub(super) async fn paused(self) -> (JoinedSession, Arc<PortSwitch>) {
        let Self {
            mut joined,
            port,
            work,
        } = self;
        if let SessionTask::Running(task) = work {
            joined.driver = task.await.ok().flatten();
        }
        (joined, port)
    }
}
