//! The lines of standard input, with the pauses of `/wait` and `--for`.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines, Stdin};
use tokio::time::{Instant, sleep_until};

/// Reads standard input line by line.
pub(super) struct Input {
    /// `None` after the end of the input.
    lines: Option<Lines<BufReader<Stdin>>>,
    /// No line is read before this time.
    paused_until: Option<Instant>,
    /// Time between the end of the input and the end of the command.
    linger: Duration,
}

impl Input {
    pub(super) fn new(linger: Duration) -> Self {
        Self {
            lines: Some(BufReader::new(tokio::io::stdin()).lines()),
            paused_until: None,
            linger,
        }
    }

    /// Reads no line for this time from now on.
    pub(super) fn pause(&mut self, time: Duration) {
        self.paused_until = Some(Instant::now() + time);
    }

    /// Returns the next line, or `None` once the input has ended and the time to linger is over.
    ///
    /// # Cancel safety
    ///
    /// Cancelling loses no line and restarts no pause.
    pub(super) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(until) = self.paused_until {
                sleep_until(until).await;
                self.paused_until = None;
            }
            let lines = self.lines.as_mut()?;
            match lines.next_line().await {
                Ok(Some(line)) => return Some(line),
                // An error ends the input, too.
                Ok(None) | Err(_) => {
                    self.lines = None;
                    self.pause(self.linger);
                }
            }
        }
    }
}
