//! A program on a pseudo-terminal: what it writes, what is typed into it, and the terminal's
//! settings.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::num::NonZero;
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::Stdio;

use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{Termios, tcgetattr};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use crate::eventually::{eventually, within};
use crate::faults::kernel;
use crate::server::journal::Journal;

/// The width of a terminal without another one.
const COLUMNS: u16 = 80;

/// The height of each terminal.
const ROWS: u16 = 24;

/// A program that runs on a terminal of its own, in a process group of its own. Dropping it kills
/// the program.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    /// The side of the person who types and reads.
    person: File,
    /// The side of the program, kept open so that its settings can be read at the end.
    program: File,
    shown: Journal<String>,
    /// The widths of the terminal, each with the number of pieces that were shown before it.
    widths: Vec<(usize, u16)>,
    /// The settings before the program began.
    original: Termios,
}

/// A program that has ended, and its terminal.
#[derive(Debug)]
pub struct Finished {
    /// The exit code. Absent if a signal ended the program.
    pub code: Option<i32>,
    /// True if the terminal has the settings that it had before.
    pub is_restored: bool,
    /// Everything that was shown.
    pub shown: String,
}

impl Finished {
    /// Checks the exit code and returns the value unchanged.
    #[track_caller]
    #[allow(clippy::return_self_not_must_use, reason = "the check alone is of use")]
    pub fn expect_code(self, expected: i32) -> Self {
        assert_eq!(self.code, Some(expected), "{}", self.shown);
        self
    }
}

impl Terminal {
    /// Starts the command with all three streams on a new terminal.
    #[must_use]
    pub fn start(command: Command) -> Self {
        Self::start_with(command, |_| {})
    }

    /// Starts the command on a new terminal; `change` may give it other streams and variables.
    #[must_use]
    pub fn start_with(command: Command, change: impl FnOnce(&mut Command)) -> Self {
        Self::start_on(open(), COLUMNS, command, change)
    }

    /// Starts the command on a new terminal of this width.
    #[must_use]
    pub fn of_width(columns: u16, command: Command) -> Self {
        Self::start_on(open(), columns, command, |_| {})
    }

    fn start_on(
        (person, program): (File, File),
        columns: u16,
        mut command: Command,
        change: impl FnOnce(&mut Command),
    ) -> Self {
        set_width(&program, columns);
        let original = settings(&program);
        let stream = || Stdio::from(program.try_clone().expect("a descriptor"));
        command
            .env("TERM", "xterm-256color")
            .stdin(stream())
            .stdout(stream())
            .stderr(stream())
            .process_group(0)
            .kill_on_drop(true);
        change(&mut command);
        let child = command.spawn().expect("the program starts");
        // It holds copies of the program's side.
        drop(command);
        let shown = read_all(person.try_clone().expect("a descriptor"));
        Self {
            child,
            person,
            program,
            shown,
            widths: vec![(0, columns)],
            original,
        }
    }

    /// Changes the width of the terminal, and tells the program.
    pub fn resize(&mut self, columns: u16) {
        self.widths.push((self.shown.len(), columns));
        set_width(&self.program, columns);
        self.signal(Signal::SIGWINCH);
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        let id = self.child.id().expect("the program runs");
        let pid = Pid::from_raw(id.try_into().expect("a process id"));
        kill(pid, signal).expect("the program runs");
    }

    /// Types a text: `\r` is Enter, `\x03` is Ctrl-C, `\x04` is Ctrl-D.
    pub async fn enter(&self, text: &str) {
        self.enter_bytes(text.as_bytes()).await;
    }

    /// Types bytes, which need not be UTF-8.
    pub async fn enter_bytes(&self, bytes: &[u8]) {
        let mut person = self.person.try_clone().expect("a descriptor");
        let bytes = bytes.to_vec();
        let typing = tokio::task::spawn_blocking(move || person.write_all(&bytes));
        let typed = within("the terminal to take the text", typing).await;
        typed.expect("no panic").expect("the terminal is open");
    }

    /// Pastes a text as a terminal does that marks pasted text.
    pub async fn paste(&self, text: &str) {
        self.enter(&format!("\x1b[200~{text}\x1b[201~")).await;
    }

    /// Returns everything that was shown so far.
    #[must_use]
    pub fn shown(&self) -> String {
        self.shown.so_far().concat()
    }

    /// Returns the rows that a person sees now, without the empty ones at the end.
    #[must_use]
    pub fn rows(&self) -> Vec<String> {
        let (_, columns) = self.widths[0];
        let mut parser = vt100::Parser::new(length(ROWS), length(columns), 0);
        for (count, piece) in self.shown.so_far().iter().enumerate() {
            for (_, columns) in self.widths.iter().filter(|(before, _)| *before == count) {
                parser.screen_mut().set_size(length(ROWS), length(*columns));
            }
            parser.process(piece.as_bytes());
        }
        let screen = parser.screen();
        let (_, columns) = screen.size();
        let rows = screen.rows(0, columns.into());
        let mut rows: Vec<String> = rows.map(|row| row.trim_end().to_owned()).collect();
        rows.truncate(
            rows.iter()
                .rposition(|row| !row.is_empty())
                .map_or(0, |last| last + 1),
        );
        rows
    }

    /// Waits until the rows are as they should be, and returns them.
    pub async fn wait_for_rows(
        &self,
        what: &str,
        are_as_expected: impl Fn(&[String]) -> bool,
    ) -> Vec<String> {
        let what = format!("{what} on the screen");
        let rows = eventually(&what, async || {
            Some(self.rows()).filter(|rows| are_as_expected(rows))
        });
        rows.await
    }

    /// Waits until the last row is this one, and returns all rows.
    pub async fn wait_for_last_row(&self, row: &str) -> Vec<String> {
        let is_last = |rows: &[String]| rows.last().is_some_and(|last| last == row);
        self.wait_for_rows(&format!("{row:?} as the last row"), is_last)
            .await
    }

    /// Waits until a text is shown.
    pub async fn wait_for(&self, text: &str) {
        self.wait_for_count(text, 1).await;
    }

    /// Waits until a text has been shown this many times.
    pub async fn wait_for_count(&self, text: &str, count: usize) {
        let is_shown =
            |pieces: &[String]| (pieces.concat().matches(text).count() >= count).then_some(());
        let what = format!("{text:?} on the terminal, {count} times");
        self.shown.wait_for(&what, is_shown).await;
    }

    /// Returns true if the terminal has the settings that it had before the program began.
    #[must_use]
    pub fn is_original(&self) -> bool {
        settings(&self.program) == self.original
    }

    /// Returns true if a signal has stopped the program. Before that, SIGCONT would do nothing.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        kernel::is_stopped(self.child.id().expect("the program runs"))
    }

    /// Returns the program.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits until the program has ended, and reads everything that it has written.
    pub async fn finish(mut self) -> Finished {
        let ended = within("the program to end", self.child.wait()).await;
        let is_restored = self.is_original();
        // The output ends when nobody has the program's side open.
        drop(self.program);
        Finished {
            code: ended.expect("wait").code(),
            is_restored,
            shown: self.shown.wait_for_end().await.concat(),
        }
    }
}

fn length(cells: u16) -> NonZero<u16> {
    NonZero::new(cells).expect("a terminal has cells")
}

fn set_width(program: &File, columns: u16) {
    let program = program.try_clone().expect("a descriptor");
    let resized = std::process::Command::new("stty")
        .args(["cols", &columns.to_string(), "rows", &ROWS.to_string()])
        .stdin(Stdio::from(program))
        .status();
    assert!(resized.expect("stty").success(), "{columns}");
}

fn settings(program: &File) -> Termios {
    tcgetattr(program).expect("the terminal is open")
}

/// Opens a pseudo-terminal, and returns the side of the person and that of the program. Programs
/// that other tests start at the same time do not inherit them.
fn open() -> (File, File) {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let person = posix_openpt(flags).expect("a pseudo-terminal");
    grantpt(&person).expect("the right to open it");
    unlockpt(&person).expect("the right to open it");
    let mut options = File::options();
    options
        .read(true)
        .write(true)
        .custom_flags(OFlag::O_NOCTTY.bits());
    let program = options
        .open(ptsname_r(&person).expect("its name"))
        .expect("the side of the program");
    let person = person.as_fd().try_clone_to_owned().expect("a descriptor");
    (File::from(person), program)
}

/// Reads what a program writes until its terminal is closed.
fn read_all(mut person: File) -> Journal<String> {
    let journal = Journal::default();
    let writer = journal.clone();
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        let mut unread = Vec::new();
        while let Ok(length @ 1..) = person.read(&mut piece) {
            unread.extend_from_slice(&piece[..length]);
            // A character may continue in the next piece.
            let whole = match std::str::from_utf8(&unread) {
                Ok(_) => unread.len(),
                Err(error) => error.valid_up_to(),
            };
            let rest = unread.split_off(whole);
            writer.push(String::from_utf8_lossy(&unread).into_owned());
            unread = rest;
        }
        writer.close();
    });
    journal
}
