//! The group of a program that was started as the first of one: with it are the programs that it
//! has started.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::Child;

/// A group, by the id of its first program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProcessGroup(Pid);

impl ProcessGroup {
    /// Returns the group of a program; `None` if it was waited for.
    pub(crate) fn of(first: &Child) -> Option<Self> {
        let id = first.id().and_then(|id| i32::try_from(id).ok())?;
        Some(Self(Pid::from_raw(id)))
    }

    /// Sends a signal to all of its programs. A group that has ended needs none.
    pub(crate) fn signal(self, signal: Signal) {
        let _ = killpg(self.0, signal);
    }
}
