//! The rule that pauses reading while writing is blocked. A pure kernel.
//!
//! The server may have to answer what a client sends. While the client does not read, these answers
//! collect in memory, so that reading stops soon after writing does.

/// Bytes that may still be read while writing is blocked.
///
/// This is room for several messages of the largest size, so that pongs get through: clients send
/// them even if the server does not read.
const BLOCKED_READ_BUDGET: usize = 256 * 1024;

/// The state that decides whether a connection may be read.
#[derive(Debug, Default)]
pub(crate) struct ReadPause {
    write_blocked: bool,
    /// Bytes read since writing became blocked.
    read: usize,
}

impl ReadPause {
    /// Returns whether reading is paused. One read may exceed the budget.
    pub(crate) const fn is_paused(&self) -> bool {
        self.write_blocked && self.read >= BLOCKED_READ_BUDGET
    }

    pub(crate) const fn add_read(&mut self, bytes: usize) {
        if self.write_blocked {
            self.read = self.read.saturating_add(bytes);
        }
    }

    pub(crate) const fn block_write(&mut self) {
        self.write_blocked = true;
    }

    /// Records that a write succeeded. Returns whether reading was paused until now.
    pub(crate) const fn unblock_write(&mut self) -> bool {
        let was_paused = self.is_paused();
        self.write_blocked = false;
        self.read = 0;
        was_paused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_pauses_some_way_behind_writing_and_resumes_with_it() {
        let mut pause = ReadPause::default();
        pause.add_read(10 * BLOCKED_READ_BUDGET);
        pause.block_write();
        pause.add_read(BLOCKED_READ_BUDGET - 1);
        assert!(!pause.is_paused());
        pause.add_read(1);
        pause.block_write();
        assert!(pause.is_paused());
        assert!(pause.unblock_write());
        assert!(!pause.is_paused());
        assert!(!pause.unblock_write());
    }
}
