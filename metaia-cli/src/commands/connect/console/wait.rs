//! A command that waits for updates: `/await`, `/back`, and the time of `/cut` and `/offline`. No
//! line is read meanwhile.

use std::time::Duration;

use tokio::time::Instant;

use crate::commands::connect::awaited::AwaitedEvent;
use crate::commands::connect::result::CommandResult;
use crate::expectation::Received;

/// A command that waits, as some roles.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The number of its line.
    pub(super) number: u64,
    /// The command as its results name it.
    pub(super) command: String,
    pub(super) goal: Goal,
    /// The roles that have not reached it.
    pub(super) open: Vec<usize>,
    pub(super) limit: Duration,
    pub(super) until: Instant,
    pub(super) results: Vec<CommandResult>,
}

/// The things that a command waits for.
#[derive(Debug)]
pub(super) enum Goal {
    /// The end of the time for which the roles are away. They come back at it.
    Return,
    Live,
    Event(AwaitedEvent),
}

impl Waiting {
    pub(super) fn new(
        number: u64,
        command: String,
        goal: Goal,
        roles: Vec<usize>,
        limit: Duration,
    ) -> Self {
        // A time of centuries is one that never ends.
        let never = || Instant::now() + Duration::from_secs(86_400 * 365);
        Self {
            number,
            command,
            goal,
            open: roles,
            limit,
            until: Instant::now().checked_add(limit).unwrap_or_else(never),
            results: Vec::new(),
        }
    }

    /// Returns true if a role is waiting for this event.
    pub(super) fn is_for(&self, role: usize, event: &Received) -> bool {
        match &self.goal {
            Goal::Event(awaited) => self.open.contains(&role) && awaited.is(event),
            Goal::Return | Goal::Live => false,
        }
    }
}
