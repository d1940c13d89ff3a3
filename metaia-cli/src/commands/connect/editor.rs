//! The line editor of a terminal, in a thread of its own.
//!
//! It begins the next line at once, also while a command is carried out. The thread never waits for
//! the command, which may wait for it to show something: if 255 lines wait, Enter does not end the
//! next one, and begins another line of the same text. Ctrl-C cancels a line that has text, and is
//! an interrupt otherwise; Ctrl-D on an empty line ends the input. The history is in memory.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;

use nix::sys::signal::{Signal, raise};
use rustyline::completion::Completer;
use rustyline::config::{ColorMode, Config};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Editor, ExternalPrinter as _, Helper};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::task::TaskTracker;

use crate::screen::Screen;
use crate::terminal;

const PROMPT: &str = "> ";

/// The most texts that wait for being carried out, with the end of the input.
const WAITING: usize = 256;

/// The longest line that the history keeps.
const LONGEST_REMEMBERED: usize = 64 * 1024;

/// The milliseconds after which a lone Esc is no longer the beginning of a key.
const ESC_TIMEOUT_MS: u16 = 50;

/// The text of one line, or of several lines that were pasted together. `None` is the end of the
/// input.
pub(super) type Typed = io::Result<Option<String>>;

/// Begins to edit lines if standard input and output are a terminal that can do so. Otherwise
/// returns `None`.
pub(super) fn start() -> Option<Receiver<Typed>> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return None;
    }
    let config = Config::builder()
        // Without colours, the text would be shown as it is.
        .color_mode(ColorMode::Forced)
        .keyseq_timeout(Some(ESC_TIMEOUT_MS))
        .build();
    let mut editor = Editor::with_config(config).ok()?;
    let mut printer = editor.create_external_printer().ok()?;
    let show = Box::new(move |text| printer.print(text).is_ok());
    let screen = Screen::share(show).ok()?;
    let (typed, lines) = channel(WAITING);
    editor.set_helper(Some(LineWatcher {
        screen: screen.clone(),
        typed: typed.clone(),
    }));
    let thread = EditorThread {
        editor,
        screen,
        typed,
    };
    std::thread::spawn(move || thread.run());
    end_cleanly_by_sigterm();
    Some(lines)
}

/// Lets SIGTERM end the command as Ctrl-C does. By itself it would end the process, and leave the
/// terminal with the editor's settings.
fn end_cleanly_by_sigterm() {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return;
    };
    TaskTracker::new().spawn(async move {
        terminated.recv().await;
        interrupt();
    });
}

/// Ends the command, whatever it waits for.
fn interrupt() {
    // A process may always send itself a signal.
    let _ = raise(Signal::SIGINT);
}

struct EditorThread {
    editor: Editor<LineWatcher, DefaultHistory>,
    screen: Arc<Screen>,
    typed: Sender<Typed>,
}

impl EditorThread {
    /// Edits lines until the terminal is released or fails.
    fn run(mut self) {
        let mut prompt = PROMPT;
        while self.screen.enter() {
            let read = self.editor.readline(prompt);
            self.screen.leave();
            match read {
                Ok(text) => self.pass_on(text),
                Err(ReadlineError::Interrupted) if self.screen.has_text() => {}
                Err(ReadlineError::Interrupted) => {
                    prompt = "";
                    interrupt();
                }
                Err(ReadlineError::Eof) => {
                    prompt = "";
                    self.send(Ok(None));
                }
                Err(error) => return self.send(Err(io::Error::other(error))),
            }
        }
    }

    fn pass_on(&mut self, text: String) {
        if text.len() <= LONGEST_REMEMBERED {
            // The history in memory takes every line.
            let _ = self.editor.add_history_entry(text.as_str());
        }
        self.send(Ok(Some(text)));
    }

    fn send(&self, typed: Typed) {
        // There is room, see `validate`, but after the end of the input there is no receiver.
        let _ = self.typed.try_send(typed);
    }
}

impl Drop for EditorThread {
    /// Ends the sharing of the terminal, also after a panic.
    fn drop(&mut self) {
        self.screen.end();
    }
}

/// Watches the line for the screen.
struct LineWatcher {
    screen: Arc<Screen>,
    typed: Sender<Typed>,
}

impl Helper for LineWatcher {}

impl Completer for LineWatcher {
    type Candidate = String;
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
    /// Notes that the line is drawn again.
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        self.screen.is_drawn();
        Cow::Borrowed(prompt)
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
