//! The pace of lines of one kind. A pure kernel.
//!
//! A kind may have 5 lines in a second ([`MAX_LINES`]). What is beyond that is left out, and
//! counted until the second is over. While a kind goes on like this, its windows double up to a
//! minute, and each has one line: what lasts for hours does not fill a disk.

use std::time::{Duration, Instant};

/// The lines of a kind in its first window.
pub(super) const MAX_LINES: u32 = 5;

/// The first window.
pub(super) const FIRST_WINDOW: Duration = Duration::from_secs(1);

/// The longest window.
pub(super) const LONGEST_WINDOW: Duration = Duration::from_secs(60);

/// The current window of a kind.
#[derive(Debug)]
pub(super) struct PaceWindow {
    end: Instant,
    length: Duration,
    places: u32,
    /// The lines that this window has left out.
    left_out: u64,
    /// The lines that earlier windows have left out, and that no line has named yet.
    unsaid: u64,
    was_exceeded: bool,
}

impl PaceWindow {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            end: now + FIRST_WINDOW,
            length: FIRST_WINDOW,
            places: MAX_LINES,
            left_out: 0,
            unsaid: 0,
            was_exceeded: false,
        }
    }

    /// Counts a line. Returns whether it is written.
    pub(super) fn admits(&mut self, now: Instant) -> bool {
        if now >= self.end {
            self.begin_next(now);
        }
        if self.places == 0 {
            self.left_out += 1;
            self.was_exceeded = true;
            return false;
        }
        self.places -= 1;
        true
    }

    /// Takes the number of lines that were left out in windows that are over.
    pub(super) fn take_unsaid(&mut self, now: Instant) -> u64 {
        if now >= self.end {
            self.unsaid += std::mem::take(&mut self.left_out);
        }
        std::mem::take(&mut self.unsaid)
    }

    /// Takes the number of all lines that were left out.
    pub(super) const fn take_all(&mut self) -> u64 {
        std::mem::replace(&mut self.unsaid, 0) + std::mem::replace(&mut self.left_out, 0)
    }

    /// Returns whether nothing depends on the window any more.
    pub(super) fn is_forgotten(&self, now: Instant) -> bool {
        self.left_out == 0 && self.unsaid == 0 && now >= self.end + self.length
    }

    fn begin_next(&mut self, now: Instant) {
        self.unsaid += std::mem::take(&mut self.left_out);
        let goes_on = self.was_exceeded && now < self.end + self.length;
        if goes_on {
            self.length = (self.length * 2).min(LONGEST_WINDOW);
            self.places = 1;
        } else {
            self.length = FIRST_WINDOW;
            self.places = MAX_LINES;
        }
        self.end = now + self.length;
        self.was_exceeded = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Returns how many of these lines at one time are written.
    fn admitted(window: &mut PaceWindow, lines: u32, now: Instant) -> usize {
        (0..lines).filter(|_| window.admits(now)).count()
    }

    #[test]
    fn a_second_has_five_lines_and_the_count_of_the_others() {
        let start = Instant::now();
        let mut window = PaceWindow::new(start);
        assert_eq!(admitted(&mut window, 1_000, start), 5);
        assert_eq!(window.take_unsaid(start), 0);
        assert_eq!(window.take_unsaid(start + SECOND), 995);
        assert_eq!(window.take_unsaid(start + SECOND), 0);
    }

    #[test]
    fn what_goes_on_has_a_line_in_windows_that_double_up_to_a_minute() {
        let start = Instant::now();
        let mut window = PaceWindow::new(start);
        let written = (0..3_000_u32).map(|tenth| start + SECOND * tenth / 10);
        let written = written.filter(|now| window.admits(*now));
        let at: Vec<_> = written.map(|now| (now - start).as_millis()).collect();
        let expected = [
            0, 100, 200, 300, 400, 1_000, 3_000, 7_000, 15_000, 31_000, 63_000, 123_000, 183_000,
            243_000,
        ];
        assert_eq!(at, expected);
    }

    #[test]
    fn a_kind_that_was_quiet_begins_anew() {
        let start = Instant::now();
        let mut window = PaceWindow::new(start);
        admitted(&mut window, 10, start);
        let later = start + 2 * SECOND;
        assert_eq!(admitted(&mut window, 10, later), 5);
        assert!(!window.is_forgotten(later + 2 * SECOND));
        assert_eq!(window.take_unsaid(later + SECOND), 10);
        assert!(window.is_forgotten(later + 2 * SECOND));
    }

    proptest! {
        #[test]
        fn each_line_is_written_or_counted_once(
            pauses in prop::collection::vec(0..3_000_u64, 0..200),
        ) {
            let mut now = Instant::now();
            let mut window = PaceWindow::new(now);
            let mut written = 0;
            let mut told = 0;
            for pause in &pauses {
                now += Duration::from_millis(*pause);
                written += u64::from(window.admits(now));
                told += window.take_unsaid(now);
            }
            told += window.take_all();
            prop_assert_eq!(written + told, pauses.len() as u64);
        }
    }
}
