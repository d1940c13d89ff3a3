//! The session that is attached to a socket.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::task::JoinHandle;

use super::{joined_session::JoinedSession, link::Link, links::Links, port::SocketIoPort};
use crate::session::{EndReason, Inbound, InboundEvents, SessionDriver};

/// The extension by which a socket holds its session.
#[derive(Clone)]
pub(super) struct Attached(pub(super) Arc<Attachment>);

/// The place of a session at its socket.
///
/// Dropping it ends the session, also if the socket goes before its CONNECT was answered, unless
/// the session has been [taken](Self::take) for a WebSocket.
pub(super) struct Attachment {
    attached: Mutex<Option<AttachedSession>>,
    pub(super) link: Arc<Link>,
    links: Arc<Links>,
}

/// A session, and what its socket needs for it.
pub(super) struct AttachedSession {
    pub(super) joined: JoinedSession,
    pub(super) port: Arc<SocketIoPort>,
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

impl Attachment {
    pub(super) fn new(attached: AttachedSession, link: &Arc<Link>, links: &Arc<Links>) -> Self {
        Self {
            attached: Mutex::new(Some(attached)),
            link: Arc::clone(link),
            links: Arc::clone(links),
        }
    }

    /// Takes the session away from the socket, which cannot end it any more.
    pub(super) fn take(&self) -> Option<AttachedSession> {
        self.attached.lock().take()
    }

    /// Begins the session's task with its inbound events, unless it has begun.
    pub(super) fn begin_task(
        &self,
        begin: impl FnOnce(&JoinedSession, InboundEvents) -> JoinHandle<Option<SessionDriver>>,
    ) {
        let mut attached = self.attached.lock();
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
        if let Some(attached) = &*self.attached.lock() {
            let JoinedSession {
                inbound, session, ..
            } = &attached.joined;
            inbound.offer(session, event);
        }
    }

    /// Ends the session, if the socket has it.
    pub(super) fn end(&self, reason: EndReason) {
        if let Some(attached) = &*self.attached.lock() {
            let JoinedSession { node, session, .. } = &attached.joined;
            node.end(session, reason);
        }
    }
}

impl AttachedSession {
    /// Pauses the session's work, and returns the session with it. A session that has ended, or
    /// whose task has panicked, has none.
    pub(super) async fn pause(self, link: &Link) -> (JoinedSession, Arc<SocketIoPort>) {
        let Self {
            mut joined,
            port,
            work,
        } = self;
        link.pause_session();
        if let SessionTask::Running(task) = work {
            joined.driver = task.await.ok().flatten();
        }
        (joined, port)
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        if let Some(attached) = self.take() {
            let session = Arc::clone(&attached.joined.session);
            drop(attached);
            // A client that is told why has yet to fetch that packet, and one that has left may
            // come back: the link remains until the transport ends.
            let keeps_transport = session.ended_by().is_some_and(EndReason::keeps_transport);
            if !keeps_transport && self.link.upgrade.close() {
                self.links.remove(&self.link.polling.sid);
            }
        }
        self.link.membership.end();
    }
}
