//! Reading stops with writing: what a client sends can be answered, and its answers wait in memory
//! while it does not read them. A pure kernel.

/// What is read while nothing can be written, in bytes: some messages of the largest size, so that
/// pongs, which clients send whether they are read or not, come through.
const BUDGET: usize = 256 * 1024;

/// Whether a connection may be read.
#[derive(Debug, Default)]
pub(super) struct Hold {
    is_blocked: bool,
    read: usize,
}

impl Hold {
    /// Whether nothing may be read now. One read may go beyond the budget.
    pub(super) const fn is_shut(&self) -> bool {
        self.is_blocked && self.read >= BUDGET
    }

    pub(super) const fn has_read(&mut self, bytes: usize) {
        if self.is_blocked {
            self.read = self.read.saturating_add(bytes);
        }
    }

    pub(super) const fn writing_is_blocked(&mut self) {
        self.is_blocked = true;
    }

    /// Something was written. Answers whether a reader was waiting for it.
    pub(super) const fn has_written(&mut self) -> bool {
        let was_shut = self.is_shut();
        *self = Self {
            is_blocked: false,
            read: 0,
        };
        was_shut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_stops_some_way_behind_writing_and_goes_on_with_it() {
        let mut hold = Hold::default();
        hold.has_read(10 * BUDGET);
        hold.writing_is_blocked();
        hold.has_read(BUDGET - 1);
        assert!(!hold.is_shut());
        hold.has_read(1);
        hold.writing_is_blocked();
        assert!(hold.is_shut());
        assert!(hold.has_written());
        assert!(!hold.is_shut() && !hold.has_written());
    }
}
