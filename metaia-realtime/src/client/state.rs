//! The state that a client's handle, updates and driver share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use parking_lot::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;

use super::{resume::Resume, server_date::ServerDate};

/// The state that the handle, the updates and the driver of one client share.
pub(crate) struct ClientState {
    /// Never held across an await.
    resume: Mutex<Resume>,
    connected: AtomicBool,
    /// The server's clock at the latest connection. Never held across an await.
    date: Mutex<Option<ServerDate>>,
    /// The time of the latest packet. Never held across an await.
    heard: Mutex<Option<Instant>>,
    /// The token of the last refresh. Never held across an await.
    token: Mutex<Option<String>>,
    /// Cancelled when the application closes the client.
    pub(crate) closing: CancellationToken,
}

impl ClientState {
    pub(crate) fn new(resume: Resume) -> Self {
        Self {
            resume: Mutex::new(resume),
            connected: AtomicBool::new(false),
            date: Mutex::new(None),
            heard: Mutex::new(None),
            token: Mutex::new(None),
            closing: CancellationToken::new(),
        }
    }

    /// Locks what outlives the connections.
    pub(crate) fn resume(&self) -> MutexGuard<'_, Resume> {
        self.resume.lock()
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Acquire)
    }

    pub(crate) fn date(&self) -> Option<ServerDate> {
        self.date.lock().clone()
    }

    pub(crate) fn set_date(&self, date: Option<ServerDate>) {
        *self.date.lock() = date;
    }

    pub(crate) fn last_heard(&self) -> Option<Instant> {
        *self.heard.lock()
    }

    pub(crate) fn set_heard(&self, at: Instant) {
        *self.heard.lock() = Some(at);
    }

    /// Returns the token that the application has sent by the last refresh.
    pub(crate) fn token(&self) -> Option<String> {
        self.token.lock().clone()
    }

    pub(crate) fn set_token(&self, token: String) {
        *self.token.lock() = Some(token);
    }

    pub(crate) fn set_connected(&self, connected: bool) {
        self.connected.store(connected, Ordering::Release);
    }
}
