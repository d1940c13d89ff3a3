//! The terminal while a line is edited on it: output goes above the line.
//!
//! The line editor waits for keys in a thread of its own, and only this thread may draw. A text for
//! the terminal is handed to it while it waits. Between two lines a text is written at once, unless
//! the editor has one that it has not shown: then it waits for the next line, so that texts keep
//! their order. Once the thread has ended, texts are written as usual. If the editor takes no text,
//! for instance while the history is searched, the second one waits, as for a terminal that has
//! been stopped.
//!
//! From [`Screen::share`] on, the terminal neither cuts lines nor echoes, also between two lines,
//! when the editor has left its own settings. At the end the editor's thread is left where it
//! waits, and [`release`] gives the terminal back the settings that it had before. `main` calls it
//! once more, for a command that was left after an interrupt, or that panicked.

use std::fmt;
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use console::Term;
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::termios::{
    InputFlags, LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr,
};
use nix::unistd::Pid;

/// The time that the editor has at the end to show what it was handed, and to begin a line.
const RELEASE_TIMEOUT: Duration = Duration::from_millis(200);

/// The time in which a process stops after Ctrl-Z. Without job control it does not, and goes on.
const STOP_TIMEOUT: Duration = Duration::from_millis(500);

/// Begins the mode in which a terminal marks pasted text.
const BEGIN_PASTE_MODE: &str = "\u{1b}[?2004h";

/// Ends this mode.
const END_PASTE_MODE: &str = "\u{1b}[?2004l";

/// The terminal that is shared with the line editor, if there is one.
static SCREEN: Mutex<Option<Arc<Screen>>> = Mutex::new(None);

/// Hands a text to the line editor. Returns false if the editor has ended.
pub(crate) type Show = Box<dyn FnMut(String) -> bool + Send>;

/// One of the two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Err,
}

impl Stream {
    /// Returns the stream for notices, which are data or not.
    pub(crate) fn of_notices(as_data: bool) -> Self {
        if as_data { Self::Out } else { Self::Err }
    }

    /// Returns the present number of columns of its terminal; `None` if it is none.
    pub(crate) fn columns(self) -> Option<usize> {
        let term = match self {
            Self::Out => Term::stdout(),
            Self::Err => Term::stderr(),
        };
        let size = if term.is_term() {
            term.size_checked()
        } else {
            None
        };
        size.map(|(_, columns)| usize::from(columns))
    }
}

/// The terminal of a line editor.
pub(crate) struct Screen {
    state: Mutex<State>,
    changed: Condvar,
    show: Mutex<Show>,
    /// The text that the editor was handed last.
    last: Mutex<Option<String>>,
    /// The settings of the terminal before it was shared; `None` for a test without one.
    settings: Mutex<Option<Termios>>,
    /// The settings while a line is edited.
    of_editor: Mutex<Option<Termios>>,
    /// True if standard error is the same terminal.
    has_errors: bool,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    has_text: bool,
    /// The number of texts that the editor was handed and has not shown.
    unshown: usize,
    is_released: bool,
    /// The number of times that the process was continued after it had been stopped.
    continued: u64,
}

/// The place of the editor's thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It is about to ask for a line.
    Entering,
    /// It waits for keys.
    Editing,
    /// It has a line, or is about to have one.
    Between,
    /// The terminal is as usual.
    Away,
}

impl Screen {
    /// Shares the terminal with a line editor from now on.
    ///
    /// # Errors
    ///
    /// Returns an error if standard input is no terminal.
    pub(crate) fn share(show: Show) -> io::Result<Arc<Self>> {
        let settings = tcgetattr(io::stdin())?;
        tcsetattr(io::stdin(), SetArg::TCSANOW, &without_lines(&settings))?;
        let screen = Arc::new(Self::new(show, Some(settings)));
        *lock(&SCREEN) = Some(screen.clone());
        Ok(screen)
    }

    fn new(show: Show, settings: Option<Termios>) -> Self {
        Self {
            state: Mutex::new(State {
                phase: Phase::Between,
                has_text: false,
                unshown: 0,
                is_released: false,
                continued: 0,
            }),
            changed: Condvar::new(),
            show: Mutex::new(show),
            last: Mutex::new(None),
            settings: Mutex::new(settings),
            of_editor: Mutex::new(None),
            has_errors: are_same_device(io::stdout(), io::stderr()),
        }
    }

    /// Announces that the editor begins a line. Returns false if it may not: the terminal has been
    /// released.
    pub(crate) fn enter(&self) -> bool {
        let mut state = lock(&self.state);
        state.phase = if state.is_released {
            Phase::Away
        } else {
            Phase::Entering
        };
        self.changed.notify_all();
        !state.is_released
    }

    /// Notes that the editor shows a line, which has text or not.
    pub(crate) fn is_shown(&self, has_text: bool) {
        let mut state = lock(&self.state);
        state.has_text = has_text;
        if state.phase == Phase::Entering {
            *lock(&self.of_editor) = tcgetattr(io::stdin()).ok();
            state.phase = Phase::Editing;
            self.changed.notify_all();
        }
    }

    /// Notes that the editor has drawn its line again, as it does below each text.
    pub(crate) fn is_drawn(&self) {
        let mut state = lock(&self.state);
        state.unshown = state.unshown.saturating_sub(1);
        self.changed.notify_all();
    }

    /// Returns true if the line has text, or had it when it ended.
    pub(crate) fn has_text(&self) -> bool {
        lock(&self.state).has_text
    }

    /// Announces that the line ends.
    pub(crate) fn leave(&self) {
        lock(&self.state).phase = Phase::Between;
    }

    /// Notes that no further line begins, and restores the terminal's settings.
    pub(crate) fn end(&self) {
        // A terminal that is gone needs no settings.
        let _ = self.restore();
        lock(&self.state).phase = Phase::Away;
        self.changed.notify_all();
    }

    /// Shows a text above the edited line. Returns false if the terminal is as usual, so that the
    /// text is to be written as usual.
    fn print(&self, text: &str) -> bool {
        let mut show = lock(&self.show);
        if self.write_between(text) {
            return true;
        }
        if self.settled() != Phase::Editing {
            return false;
        }
        *lock(&self.last) = Some(text.to_owned());
        lock(&self.state).unshown += 1;
        show(format!("{text}\n"))
    }

    /// Writes a text while no line is edited. Returns false if one is, or if the editor has a text
    /// to show before. The console must not wait for the next line then: the editor may wait for
    /// the console.
    fn write_between(&self, text: &str) -> bool {
        // No line begins while the lock is held.
        let state = lock(&self.state);
        let is_free = state.phase == Phase::Between && state.unshown == 0 && !state.is_released;
        is_free && writeln!(io::stdout().lock(), "{text}").is_ok()
    }

    /// Waits until the editor waits for keys, or is away.
    fn settled(&self) -> Phase {
        let is_moving = |state: &mut State| matches!(state.phase, Phase::Entering | Phase::Between);
        let state = self.changed.wait_while(lock(&self.state), is_moving);
        state.unwrap_or_else(PoisonError::into_inner).phase
    }

    /// Waits until the editor has shown what it was handed. Returns the last text if the editor
    /// does not show it in time.
    fn flush(&self) -> Option<String> {
        let has_unshown = |state: &mut State| state.unshown > 0;
        let waited =
            self.changed
                .wait_timeout_while(lock(&self.state), RELEASE_TIMEOUT, has_unshown);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.unshown > 0 {
            lock(&self.last).take()
        } else {
            None
        }
    }

    /// Keeps the editor from beginning another line, and restores the terminal's settings.
    fn close(&self) -> io::Result<()> {
        // A thread that is about to change the settings must have done so before they are restored.
        let is_entering = |state: &mut State| state.phase == Phase::Entering;
        let waited =
            self.changed
                .wait_timeout_while(lock(&self.state), RELEASE_TIMEOUT, is_entering);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_released = true;
        if state.phase == Phase::Away {
            return Ok(());
        }
        self.restore()?;
        // Begins a line of its own, in place of an empty edited one.
        let line = match (state.phase, state.has_text) {
            (Phase::Editing, true) => "\r\n",
            (Phase::Editing, false) => "\r\u{1b}[K",
            _ => "",
        };
        state.phase = Phase::Away;
        self.changed.notify_all();
        let mut out = io::stdout().lock();
        write!(out, "{END_PASTE_MODE}{line}")?;
        out.flush()
    }
}

/// Stopping and going on.
impl Screen {
    /// Stops the process and its group as Ctrl-Z does, while a line is edited. The terminal has its
    /// first settings meanwhile. Returns when the process goes on.
    pub(crate) fn suspend(&self) {
        let before = lock(&self.state).continued;
        // A terminal that is gone needs no settings.
        let _ = self.restore();
        write_out(&format!("{END_PASTE_MODE}\r\n"));
        // A process may always send a signal to its group.
        let _ = kill(Pid::from_raw(0), Signal::SIGTSTP);
        let is_same = |state: &mut State| state.continued == before;
        // Which of both ends the wait makes no difference: the process goes on.
        let _ = self
            .changed
            .wait_timeout_while(lock(&self.state), STOP_TIMEOUT, is_same);
        self.take_again();
        write_out(BEGIN_PASTE_MODE);
        // The terminal may have another width now.
        let _ = raise(Signal::SIGWINCH);
    }

    /// Gives the terminal the settings of the editor again after the process has been stopped: the
    /// shell had its own in the meantime.
    pub(crate) fn resume(&self) {
        let mut state = lock(&self.state);
        state.continued += 1;
        let is_shared = state.phase != Phase::Away && !state.is_released;
        drop(state);
        if is_shared {
            self.take_again();
        }
        self.changed.notify_all();
    }

    fn take_again(&self) {
        if let Some(settings) = lock(&self.of_editor).as_ref() {
            // A terminal that is gone needs no settings.
            let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, settings);
        }
    }
}

fn write_out(text: &str) {
    let mut out = io::stdout().lock();
    // A terminal that is gone shows nothing.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

impl Screen {
    fn restore(&self) -> io::Result<()> {
        if let Some(settings) = lock(&self.settings).as_ref() {
            tcsetattr(io::stdin(), SetArg::TCSANOW, settings)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Shows a text above the line that is edited on this stream's terminal. Returns false if there is
/// none, so that the text is to be written to the stream.
pub(crate) fn print_above(stream: Stream, text: &str) -> bool {
    let Some(screen) = lock(&SCREEN).clone() else {
        return false;
    };
    if stream == Stream::Err && !screen.has_errors {
        return false;
    }
    // The editor may take its time, in which other tasks go on.
    tokio::task::block_in_place(|| screen.print(text))
}

/// Takes the terminal back from the line editor, with the settings that it had before.
pub(crate) fn release() {
    let Some(screen) = lock(&SCREEN).take() else {
        return;
    };
    let unshown = screen.flush();
    // A terminal that is gone needs no settings.
    let _ = screen.close();
    if let Some(text) = unshown {
        let _ = writeln!(io::stdout().lock(), "{text}");
    }
}

/// Returns the settings of a terminal that passes on each key as it is, and echoes none.
fn without_lines(settings: &Termios) -> Termios {
    let mut settings = settings.clone();
    settings.input_flags &= !(InputFlags::BRKINT
        | InputFlags::ICRNL
        | InputFlags::INPCK
        | InputFlags::ISTRIP
        | InputFlags::IXON);
    settings.local_flags &=
        !(LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::IEXTEN | LocalFlags::ISIG);
    settings.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
    settings.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
    settings
}

/// Returns true if both are the same terminal.
fn are_same_device(one: impl AsFd, other: impl AsFd) -> bool {
    let device = |stream: &dyn AsFd| {
        let file = std::fs::File::from(stream.as_fd().try_clone_to_owned()?);
        file.metadata().map(|metadata| metadata.rdev())
    };
    match (device(&one), device(&other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is a single assignment.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a screen whose editor takes every text, and the texts.
    fn screen() -> (Arc<Screen>, Arc<Mutex<Vec<String>>>) {
        let texts = Arc::new(Mutex::new(Vec::new()));
        let taken = texts.clone();
        let show = Box::new(move |text| {
            lock(&taken).push(text);
            true
        });
        (Arc::new(Screen::new(show, None)), texts)
    }

    #[test]
    fn a_text_waits_until_the_editor_waits_for_keys() {
        let (screen, texts) = screen();
        assert!(screen.enter());
        let printing = screen.clone();
        let printed = std::thread::spawn(move || printing.print("a"));
        screen.is_shown(false);
        assert!(printed.join().unwrap());
        assert_eq!(*lock(&texts), ["a\n"]);
    }

    #[test]
    fn a_text_between_two_lines_waits_for_no_line() {
        let (screen, texts) = screen();
        assert!(screen.print("a"));
        screen.enter();
        screen.is_shown(false);
        screen.leave();
        assert!(screen.print("b"));
        assert!(lock(&texts).is_empty());
    }

    #[test]
    fn a_text_waits_for_the_one_before_it() {
        let (screen, texts) = screen();
        screen.enter();
        screen.is_shown(false);
        assert!(screen.print("a"));
        screen.leave();
        let printing = screen.clone();
        let printed = std::thread::spawn(move || printing.print("b"));
        screen.enter();
        screen.is_shown(false);
        assert!(printed.join().unwrap());
        assert_eq!(*lock(&texts), ["a\n", "b\n"]);
    }

    #[test]
    fn a_text_is_written_as_usual_once_the_editor_has_ended() {
        let (screen, texts) = screen();
        screen.end();
        assert!(!screen.print("a"));
        assert!(lock(&texts).is_empty());
    }

    #[test]
    fn the_last_text_is_returned_if_it_was_not_shown() {
        let (screen, _) = screen();
        assert_eq!(screen.flush(), None);
        screen.enter();
        screen.is_shown(true);
        assert!(screen.print("a") && screen.print("b"));
        screen.is_drawn();
        assert_eq!(screen.flush().as_deref(), Some("b"));
        screen.is_drawn();
        assert_eq!(screen.flush(), None);
    }
}
