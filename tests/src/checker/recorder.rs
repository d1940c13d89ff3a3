//! The recorder: one clock and one list for everybody who does or sees something.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::{Fact, History, Moment};

/// Writes facts down. A clone is another handle to the same list. It only grows: a test ends.
#[derive(Debug, Clone)]
pub struct Recorder {
    began: Instant,
    history: Arc<Mutex<History>>,
}

impl Recorder {
    /// An empty one whose clock begins now.
    #[must_use]
    pub fn new() -> Self {
        Self { began: Instant::now(), history: Arc::default() }
    }

    /// Writes down a fact of now. Who is about to do something notes it before, who saw something after.
    pub fn note(&self, fact: Fact) {
        // The moment is taken under the lock, so that the list is in the order of the moments.
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        history.facts.push((now, fact));
    }

    /// What its clock says.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.began.elapsed()
    }

    /// Everything written down so far.
    #[must_use]
    pub fn history(&self) -> History {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}
