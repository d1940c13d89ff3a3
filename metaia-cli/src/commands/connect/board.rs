//! The state that the console and the line editor share, besides the lines. The console sets for
//! whom the prompt is, the names that can be completed, and whether a command waits. The editor
//! asks for what keys demand.
//!
//! The editor's thread never waits for the console for longer than [`TAKE_TIMEOUT`], or
//! [`CHANGE_TIMEOUT`].

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;

use super::completion::{Completion, Known, complete, paths};
use super::prompt::{PromptRole, prompt};
use super::rooms::Rooms;
use crate::printer::Paint;

/// The time that the console has to take a line before the next one begins.
const TAKE_TIMEOUT: Duration = Duration::from_millis(50);

/// The same time for a line that may change the prompt. Only a console that is busy needs it.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(1);

/// The most requests that wait. If a person presses keys faster, the last ones are dropped.
const MOST_REQUESTS: usize = 4;

/// The state that the console and the line editor share.
#[derive(Debug)]
pub(super) struct Board {
    state: Mutex<BoardState>,
    requested: Notify,
    taken: Condvar,
    paint: Paint,
}

#[derive(Debug, Default)]
struct BoardState {
    known: Known,
    roles: Vec<PromptRole>,
    /// `ROLE:USER` of the roles that lines are for; `None` for all.
    chosen: Option<String>,
    /// True while a command waits that Ctrl-C cancels.
    is_waiting: bool,
    /// True from the end of a line until the console has taken it.
    is_untaken: bool,
    requests: VecDeque<Request>,
}

/// A key that the console answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// The waiting command is to be cancelled.
    Cancel,
    /// These names are to be listed.
    List(Vec<String>),
}

impl Board {
    pub(super) fn new(paint: Paint) -> Self {
        Self {
            state: Mutex::default(),
            requested: Notify::new(),
            taken: Condvar::new(),
            paint,
        }
    }

    fn state(&self) -> MutexGuard<'_, BoardState> {
        // Each change is a single assignment, or of a collection.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For the console.
impl Board {
    pub(super) fn add_role(&self, label: &str, rooms: Rooms) {
        let mut state = self.state();
        state.known.add_role(label, rooms);
        state.roles.push(PromptRole {
            label: label.to_owned(),
            is_live: false,
        });
    }

    pub(super) fn set_live(&self, role: usize, is_live: bool) {
        if let Some(role) = self.state().roles.get_mut(role) {
            role.is_live = is_live;
        }
    }

    /// Remembers the names in an event.
    pub(super) fn observe(&self, event: &str, data: &Value) {
        self.state().known.observe(event, data);
    }

    /// Sets for whom the next lines are.
    pub(super) fn choose(&self, actor: Option<String>) {
        self.state().chosen = actor;
    }

    /// Returns for whom lines are; `None` for all.
    pub(super) fn chosen(&self) -> Option<String> {
        self.state().chosen.clone()
    }

    /// Notes that the console has taken a line.
    pub(super) fn take_line(&self) {
        self.state().is_untaken = false;
        self.taken.notify_all();
    }

    /// Notes whether a command waits that Ctrl-C cancels.
    pub(super) fn set_waiting(&self, is_waiting: bool) {
        self.state().is_waiting = is_waiting;
    }

    /// Returns the next request.
    ///
    /// # Cancel safety
    /// Cancelling loses no request.
    pub(super) async fn request(&self) -> Request {
        loop {
            let request = self.state().requests.pop_front();
            match request {
                Some(request) => return request,
                None => self.requested.notified().await,
            }
        }
    }
}

/// For the line editor.
impl Board {
    /// Returns the prompt for a terminal of this width, without colours.
    pub(super) fn prompt(&self, columns: usize) -> String {
        self.painted_prompt(columns, Paint::PLAIN)
    }

    /// Returns the same prompt with colours, if there are any.
    pub(super) fn prompt_in_colour(&self, columns: usize) -> String {
        self.painted_prompt(columns, self.paint)
    }

    fn painted_prompt(&self, columns: usize, paint: Paint) -> String {
        let state = self.state();
        let chosen = state.chosen.as_ref();
        let is_chosen = |role: &&PromptRole| chosen.is_none_or(|chosen| role.label == *chosen);
        let roles: Vec<PromptRole> = state.roles.iter().filter(is_chosen).cloned().collect();
        prompt(&roles, columns, paint)
    }

    pub(super) fn complete(&self, line: &str, at: usize) -> Option<Completion> {
        // A copy: to read a folder may take its time.
        let known = self.state().known.clone();
        complete(line, at, &known, paths)
    }

    /// Asks the console to list names above the line.
    pub(super) fn list(&self, names: Vec<String>) {
        self.ask(Request::List(names));
    }

    /// Asks the console to cancel the command that waits. Returns false if none does.
    pub(super) fn cancel_wait(&self) -> bool {
        let was_waiting = std::mem::take(&mut self.state().is_waiting);
        if was_waiting {
            self.ask(Request::Cancel);
        }
        was_waiting
    }

    fn ask(&self, request: Request) {
        let mut state = self.state();
        if state.requests.len() < MOST_REQUESTS || request == Request::Cancel {
            state.requests.push_back(request);
        }
        drop(state);
        self.requested.notify_one();
    }

    /// Notes that a line is passed on.
    pub(super) fn pass_line(&self) {
        self.state().is_untaken = true;
    }

    /// Waits until the console has taken this line, so that the next prompt is up to date. A
    /// console that waits for something takes no line.
    pub(super) fn wait_until_taken(&self, line: &str) {
        let limit = if line.trim_start().starts_with("/as") {
            CHANGE_TIMEOUT
        } else {
            TAKE_TIMEOUT
        };
        let is_untaken = |state: &mut BoardState| state.is_untaken && !state.is_waiting;
        // The time is limited, and the lock is not poisoned by a panic.
        let _ = self
            .taken
            .wait_timeout_while(self.state(), limit, is_untaken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_command_that_waits_is_cancelled() {
        let board = Board::new(Paint::PLAIN);
        assert!(!board.cancel_wait());
        board.set_waiting(true);
        assert!(board.cancel_wait());
        assert!(!board.cancel_wait());
        assert_eq!(board.request().await, Request::Cancel);
    }

    #[test]
    fn the_prompt_follows_the_choice_and_the_connections() {
        let board = Board::new(Paint::PLAIN);
        board.add_role("customer:u1", Rooms::default());
        board.add_role("tailor:t1", Rooms::default());
        board.set_live(0, true);
        assert_eq!(board.prompt(80), "customer:u1› tailor:t1✕ ");
        board.choose(Some("customer:u1".to_owned()));
        assert_eq!(board.prompt(80), "customer:u1› ");
    }

    #[tokio::test]
    async fn requests_have_a_bound() {
        let board = Board::new(Paint::PLAIN);
        for n in 0..100 {
            board.list(vec![n.to_string()]);
        }
        assert_eq!(board.state().requests.len(), MOST_REQUESTS);
    }
}
