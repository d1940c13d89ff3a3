//! The line editor of a terminal, in a thread of its own.
//!
//! It begins the next line when the console has taken the last one, or after a moment, also while a
//! command is carried out. The thread never waits for the command, which may wait for it to show
//! something: if 255 lines wait, Enter does not end the next one, and begins another line of the
//! same text. Ctrl-C cancels a line that has text, then a command that waits, and is an interrupt
//! otherwise; Ctrl-D on an empty line ends the input. A line with a byte that is not UTF-8 is
//! dropped, with what was pasted behind the byte.

use std::io::{self, ErrorKind, IsTerminal as _};
use std::sync::Arc;

use nix::sys::termios::{FlushArg, tcflush};
use rustyline::config::{BellStyle, ColorMode, CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{Editor, EventHandler, ExternalPrinter as _, KeyEvent};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::board::Board;
use super::history::{History, MOST_LINES};
use super::line_watcher::{LineWatcher, Suspender, Typed, columns};
use super::signals;
use crate::screen::Screen;

/// The most texts that wait for being carried out, with the end of the input.
const WAITING: usize = 256;

/// The longest line that the history has in memory.
const LONGEST_REMEMBERED: usize = 64 * 1024;

/// The milliseconds after which a lone Esc is no longer the beginning of a key.
const ESC_TIMEOUT_MS: u16 = 50;

/// A line editor that has been started.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) typed: Receiver<Typed>,
    /// The reason why the lines are not kept for later runs.
    pub(super) unkept: Option<String>,
}

/// Begins to edit lines if standard input and output are a terminal that can do so. Otherwise
/// returns `None`.
pub(super) fn start(board: &Arc<Board>) -> Option<Started> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return None;
    }
    let mut editor = Editor::with_config(config().ok()?).ok()?;
    let mut printer = editor.create_external_printer().ok()?;
    let show = Box::new(move |text| printer.print(text).is_ok());
    let screen = Screen::share(show).ok()?;
    let (history, unkept) = History::open();
    for line in history.lines() {
        // The history in memory takes every line.
        let _ = editor.add_history_entry(line.as_str());
    }
    let (sender, typed) = channel(WAITING);
    editor.set_helper(Some(LineWatcher {
        screen: screen.clone(),
        board: board.clone(),
        typed: sender.clone(),
    }));
    let suspender = Suspender(screen.clone());
    editor.bind_sequence(
        KeyEvent::ctrl('Z'),
        EventHandler::Conditional(Box::new(suspender)),
    );
    let thread = EditorThread {
        editor,
        screen: screen.clone(),
        board: board.clone(),
        history,
        typed: sender,
    };
    std::thread::spawn(move || thread.run());
    signals::watch(&screen);
    Some(Started { typed, unkept })
}

fn config() -> rustyline::Result<Config> {
    let builder = Config::builder()
        // Without colours, the text would be shown as it is.
        .color_mode(ColorMode::Forced)
        .keyseq_timeout(Some(ESC_TIMEOUT_MS))
        .completion_type(CompletionType::List)
        .bell_style(BellStyle::None)
        .history_ignore_space(true)
        .max_history_size(MOST_LINES)?;
    Ok(builder.build())
}

struct EditorThread {
    editor: Editor<LineWatcher, DefaultHistory>,
    screen: Arc<Screen>,
    board: Arc<Board>,
    history: History,
    typed: Sender<Typed>,
}

impl EditorThread {
    /// Edits lines until the terminal is released, or fails.
    fn run(mut self) {
        let mut has_ended = false;
        while self.screen.enter() {
            let prompt = if has_ended {
                String::new()
            } else {
                self.board.prompt(columns())
            };
            let read = self.editor.readline(prompt.as_str());
            self.screen.leave();
            match read {
                Ok(text) => self.pass_on(text),
                Err(ReadlineError::Interrupted) if self.screen.has_text() => {}
                Err(ReadlineError::Interrupted) if self.board.cancel_wait() => {}
                Err(ReadlineError::Interrupted) => {
                    has_ended = true;
                    signals::interrupt();
                }
                // A terminal that is gone says so for ever.
                Err(ReadlineError::Eof) if has_ended => return,
                Err(ReadlineError::Eof) => {
                    has_ended = true;
                    self.send(Ok(None));
                }
                Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                    self.drop_line(error);
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
        self.history.keep(&text);
        self.board.pass_line();
        self.send(Ok(Some(text.clone())));
        self.board.wait_until_taken(&text);
    }

    /// Reports a line that is not UTF-8. The rest of what was pasted is no line of its own, and
    /// might be carried out as one.
    fn drop_line(&self, error: io::Error) {
        // A terminal that is gone is noticed by the next reading.
        let _ = tcflush(io::stdin(), FlushArg::TCIFLUSH);
        // The last place is for the end of the input.
        if self.typed.capacity() > 1 {
            self.send(Err(error));
        }
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
