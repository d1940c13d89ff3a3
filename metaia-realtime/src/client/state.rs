//! The state that a client's handle, updates and driver share.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio_util::sync::CancellationToken;

use super::resume::Resume;

/// The state that the handle, the updates and the driver of one client share.
pub(crate) struct ClientState {
    /// Never held across an await.
    resume: Mutex<Resume>,
    connected: AtomicBool,
    /// Cancelled when the application closes the client.
    pub(crate) closing: CancellationToken,
}

impl ClientState {
    pub(crate) fn new(resume: Resume) -> Self {
        Self {
            resume: Mutex::new(resume),
            connected: AtomicBool::new(false),
            closing: CancellationToken::new(),
        }
    }

    pub(crate) fn resume(&self) -> MutexGuard<'_, Resume> {
        // No panic can leave the state half written, so a poisoned lock is still valid.
        self.resume.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Acquire)
    }

    pub(crate) fn set_connected(&self, connected: bool) {
        self.connected.store(connected, Ordering::Release);
    }
}
