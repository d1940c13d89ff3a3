//! The lines of standard input, with the pauses of `/wait` and `--for`.

use std::io::{ErrorKind, IsTerminal as _};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, BufReader, Stdin};
use tokio::time::{Instant, sleep_until};

use super::board::Board;
use super::editor;
use super::source::Source;
use crate::exit::{Exit, Failure};

/// Reads standard input line by line.
pub(super) struct Input<R> {
    source: Source<R>,
    /// The number of lines read.
    count: u64,
    is_terminal: bool,
    /// No line is read before this time.
    paused_until: Option<Instant>,
    /// Time between the end of the input and the end of the command.
    linger: Duration,
}

/// A line of input, and its number.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InputLine {
    pub(super) number: u64,
    pub(super) text: String,
    /// True if it was there before it was asked for, so that it belongs to the line before it.
    pub(super) was_waiting: bool,
}

impl Input<BufReader<Stdin>> {
    pub(super) fn stdin(linger: Duration) -> Self {
        let is_terminal = std::io::stdin().is_terminal();
        Self::new(BufReader::new(tokio::io::stdin()), is_terminal, linger)
    }
}

impl<R: AsyncBufRead + Unpin> Input<R> {
    fn new(reader: R, is_terminal: bool, linger: Duration) -> Self {
        Self {
            source: Source::Stream(reader.split(b'\n')),
            count: 0,
            is_terminal,
            paused_until: None,
            linger,
        }
    }

    /// Returns true if a person types the lines.
    pub(super) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Lets a line editor read the lines, if standard input and output are a terminal. Returns the
    /// reason if their history is not kept.
    pub(super) fn edit(&mut self, board: &Arc<Board>) -> Option<String> {
        let started = editor::start(board)?;
        self.source = Source::edited(started.typed);
        started.unkept
    }

    /// Reads no line for this time from now on.
    pub(super) fn pause(&mut self, time: Duration) {
        self.paused_until = Some(Instant::now() + time);
    }

    /// Ends the pause, so that the next line is read.
    pub(super) fn go_on(&mut self) {
        self.paused_until = None;
    }

    /// Returns true if no line follows.
    pub(super) fn has_ended(&self) -> bool {
        self.source.has_ended()
    }

    /// Ends the command with the last line, without the time of `--for`.
    pub(super) fn stop_lingering(&mut self) {
        self.linger = Duration::ZERO;
        if self.source.has_ended() {
            self.paused_until = None;
        }
    }

    /// Returns the next line, or `None` once the input has ended and the time to linger is over.
    ///
    /// # Errors
    ///
    /// Returns a failure for a line that is too long or not UTF-8, and if the input cannot be read.
    /// The next call continues with the next line.
    ///
    /// # Cancel safety
    ///
    /// Cancelling loses no line and restarts no pause.
    pub(super) async fn next(&mut self) -> Result<Option<InputLine>, Failure> {
        loop {
            if let Some(until) = self.paused_until {
                sleep_until(until).await;
                self.paused_until = None;
            }
            if self.source.has_ended() {
                return Ok(None);
            }
            match self.source.next().await {
                Ok(Some(bytes)) => {
                    self.count += 1;
                    return self.decode(bytes).map(Some);
                }
                Ok(None) => self.end(),
                // The line editor has dropped a line.
                Err(error) if error.kind() == ErrorKind::InvalidData => return Err(dropped()),
                Err(error) => {
                    self.end();
                    return Err(Failure::new(Exit::Failed, "standard input cannot be read")
                        .caused_by(error));
                }
            }
        }
    }

    fn end(&mut self) {
        self.source = Source::Ended;
        self.pause(self.linger);
    }

    fn decode(&self, bytes: Vec<u8>) -> Result<InputLine, Failure> {
        let number = self.count;
        let longest = self.source.longest_line(self.is_terminal);
        if let Some((limit, reason)) = longest.filter(|(limit, _)| bytes.len() > *limit) {
            let failure =
                Failure::usage(format!("line {number} is too long: {reason} {limit} bytes"));
            return Err(failure.hint(
                "put the payload into a file and send @FILE, or pipe the lines into the command",
            ));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(InputLine {
                number,
                text: without_mark(number, text),
                was_waiting: self.source.was_waiting(),
            }),
            Err(error) => {
                Err(Failure::usage(format!("line {number} is not UTF-8"))
                    .caused_by(error.utf8_error()))
            }
        }
    }
}

fn dropped() -> Failure {
    Failure::usage("a byte that was typed or pasted is not UTF-8: its line is dropped")
        .hint("set the terminal to UTF-8, or write the character as \\u00e9 in the JSON")
}

/// Removes the byte order mark that editors put before the first line of a file.
fn without_mark(number: u64, text: String) -> String {
    match text.strip_prefix('\u{feff}') {
        Some(rest) if number == 1 => rest.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::channel;

    use super::*;

    fn input(bytes: &[u8], is_terminal: bool) -> Input<&[u8]> {
        Input::new(bytes, is_terminal, Duration::from_secs(5))
    }

    fn line(number: u64, text: &str) -> Option<InputLine> {
        Some(InputLine {
            number,
            text: text.to_owned(),
            was_waiting: true,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn lines_are_numbered_and_the_end_lingers() {
        let started = Instant::now();
        let mut input = input(b"a\n\nb", false);
        assert_eq!(input.next().await.unwrap(), line(1, "a"));
        assert_eq!(input.next().await.unwrap(), line(2, ""));
        assert_eq!(input.next().await.unwrap(), line(3, "b"));
        assert_eq!(input.next().await.unwrap(), None);
        assert_eq!(started.elapsed(), Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_order_mark_is_no_part_of_the_first_line() {
        let mut input = input("\u{feff}/join o1\n\u{feff}b".as_bytes(), false);
        assert_eq!(input.next().await.unwrap(), line(1, "/join o1"));
        assert_eq!(input.next().await.unwrap(), line(2, "\u{feff}b"));
    }

    #[tokio::test(start_paused = true)]
    async fn lingering_can_be_stopped() {
        let started = Instant::now();
        let mut input = input(b"", false);
        input.stop_lingering();
        assert_eq!(input.next().await.unwrap(), None);
        assert_eq!(started.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_is_not_utf8_is_an_error_and_not_the_end() {
        for bytes in [
            &b"\xff"[..],
            b"/emit x \xc3(",
            b"\xed\xa0\x80",
            b"ok\xf0\x9f",
        ] {
            let text = [&b"a\n"[..], bytes, b"\nb\n"].concat();
            let mut input = input(&text, false);
            assert_eq!(input.next().await.unwrap(), line(1, "a"));
            let failure = input.next().await.unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
            assert!(
                failure.chain().starts_with("line 2 is not UTF-8"),
                "{bytes:?}"
            );
            assert_eq!(input.next().await.unwrap(), line(3, "b"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_of_any_length_is_read_but_a_terminal_cuts_it() {
        let long = "x".repeat(100_000);
        let text = format!("{long}\n");
        assert_eq!(
            input(text.as_bytes(), false).next().await.unwrap(),
            line(1, &long)
        );
        let cut = format!("{}\nb\n", &long[..4095]);
        let mut terminal = input(cut.as_bytes(), true);
        let failure = terminal.next().await.unwrap_err();
        assert!(
            failure.chain().contains("4094 bytes"),
            "{}",
            failure.chain()
        );
        assert_eq!(terminal.next().await.unwrap(), line(2, "b"));
        let short = format!("{}\n", &long[..4094]);
        assert!(input(short.as_bytes(), true).next().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_editor_gives_lines_of_up_to_1_mib() {
        let mut input = input(b"", true);
        let (typed, lines) = channel(4);
        input.source = Source::edited(lines);
        let longest = "x".repeat(1024 * 1024);
        for text in [&longest, &format!("{longest}x"), "a\nb"] {
            typed.try_send(Ok(Some(text.to_owned()))).unwrap();
        }
        assert_eq!(input.next().await.unwrap(), line(1, &longest));
        let failure = input.next().await.unwrap_err();
        assert!(
            failure.chain().contains("1048576 bytes"),
            "{}",
            failure.chain()
        );
        assert_eq!(input.next().await.unwrap(), line(3, "a"));
        assert_eq!(input.next().await.unwrap(), line(4, "b"));
        typed.try_send(Ok(None)).unwrap();
        assert_eq!(input.next().await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_the_editor_drops_is_not_the_end() {
        let mut input = input(b"", true);
        let (typed, lines) = channel(4);
        input.source = Source::edited(lines);
        typed.try_send(Err(ErrorKind::InvalidData.into())).unwrap();
        typed.try_send(Ok(Some("a".to_owned()))).unwrap();
        let failure = input.next().await.unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(!input.has_ended());
        assert_eq!(input.next().await.unwrap(), line(1, "a"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_editor_that_fails_ends_the_input_with_an_error() {
        let mut input = input(b"", true);
        let (typed, lines) = channel(4);
        input.source = Source::edited(lines);
        drop(typed);
        assert_eq!(input.next().await.unwrap_err().exit, Exit::Failed);
        assert!(input.has_ended());
        assert_eq!(input.next().await.unwrap(), None);
    }
}
