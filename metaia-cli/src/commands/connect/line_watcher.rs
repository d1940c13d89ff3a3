//! The answers to the line editor's questions: how the line is drawn, how a word is completed, when
//! a line ends, and what Ctrl-Z does.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Cmd, ConditionalEventHandler, Event, EventContext, Helper, RepeatCount};
use tokio::sync::mpsc::Sender;

use super::board::Board;
use crate::event_line::width;
use crate::screen::{Screen, Stream};
use crate::terminal;

/// The width of a terminal that does not tell it.
const USUAL_COLUMNS: usize = 80;

/// The text of one line, or of several lines that were pasted together. `None` is the end of the
/// input.
pub(super) type Typed = io::Result<Option<String>>;

/// Returns the width of the terminal that lines are edited on.
pub(super) fn columns() -> usize {
    Stream::Out.columns().unwrap_or(USUAL_COLUMNS)
}

/// Watches the line for the screen and the console.
pub(super) struct LineWatcher {
    pub(super) screen: Arc<Screen>,
    pub(super) board: Arc<Board>,
    pub(super) typed: Sender<Typed>,
}

impl Helper for LineWatcher {}

impl Completer for LineWatcher {
    type Candidate = String;

    /// Completes the word before the cursor. Several names are listed above the line as events are,
    /// and not by the editor, which would show no event until the next key.
    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let Some(completion) = self.board.complete(line, at) else {
            return Ok((at, Vec::new()));
        };
        if completion.longer.is_none() && completion.names.len() > 1 {
            self.board.list(completion.names);
        }
        Ok((completion.start, completion.longer.into_iter().collect()))
    }
}

impl Hinter for LineWatcher {
    type Hint = String;

    /// Notes every change of the line. There are no hints.
    fn hint(&self, line: &str, _: usize, _: &rustyline::Context<'_>) -> Option<String> {
        self.screen.is_shown(!line.is_empty());
        None
    }
}

impl Highlighter for LineWatcher {
    /// Notes that the line is drawn again, and shows who is connected now. A prompt that has got
    /// another width is up to date from the next line on.
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(
        &'s self,
        prompt: &'p str,
        is_default: bool,
    ) -> Cow<'b, str> {
        self.screen.is_drawn();
        let columns = columns();
        let present = self.board.prompt(columns);
        if is_default && !prompt.is_empty() && width(&present) == width(prompt) {
            Cow::Owned(self.board.prompt_in_colour(columns))
        } else {
            Cow::Borrowed(prompt)
        }
    }

    /// Leaves out the characters that act on the terminal. They have no width.
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        terminal::without_acting(line)
    }
}

impl Validator for LineWatcher {
    /// Notes that the line ends. If too many wait, it goes on.
    fn validate(&self, _: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        // The last place is for the end of the input.
        if self.typed.capacity() <= 1 {
            return Ok(ValidationResult::Incomplete);
        }
        self.screen.leave();
        Ok(ValidationResult::Valid(None))
    }
}

/// Stops the process by Ctrl-Z. The editor's own way would leave the shell with the settings that
/// the terminal has between two lines.
pub(super) struct Suspender(pub(super) Arc<Screen>);

impl ConditionalEventHandler for Suspender {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext<'_>) -> Option<Cmd> {
        self.0.suspend();
        Some(Cmd::Repaint)
    }
}
