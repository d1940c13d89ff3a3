//! The moment from which on a batch may be stored.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Stands between the writing of a batch and its commit: whoever gives up waiting knows by it
/// whether anything of the batch can still come to be.
pub(super) struct Gate {
    stage: Mutex<Stage>,
    /// Tells those who wait; `false` where somebody does not any more.
    begin: Box<dyn Fn() -> bool + Send + Sync>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Writing,
    Committing,
    GivenUp,
}

impl Gate {
    pub(super) fn new(begin: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self {
            stage: Mutex::new(Stage::Writing),
            begin: Box::new(begin),
        }
    }

    /// Right before the commit. `false`: it must not be made.
    pub(super) fn pass(&self) -> bool {
        let mut stage = self.stage();
        if *stage == Stage::Writing && (self.begin)() {
            *stage = Stage::Committing;
        }
        *stage == Stage::Committing
    }

    /// Nobody waits any more. `true`: nothing will ever be stored.
    pub(super) fn give_up(&self) -> bool {
        let mut stage = self.stage();
        if *stage == Stage::Writing {
            *stage = Stage::GivenUp;
        }
        *stage == Stage::GivenUp
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_up_does_not_pass() {
        let gate = Gate::new(|| true);
        assert!(gate.give_up() && !gate.pass());
        let gate = Gate::new(|| true);
        assert!(gate.pass() && !gate.give_up() && gate.pass());
        let gate = Gate::new(|| false);
        assert!(!gate.pass() && gate.give_up());
    }
}
