//! The counts of one run of `tail`, and the exit code that they mean.

use crate::exit::{Exit, Failure};

/// Counts of one run, and the position after it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) events: u64,
    /// Events that were replayed, among the `events`.
    pub(super) replayed: u64,
    /// Replayed events that happened before this run, and that `--count` leaves out.
    pub(super) uncounted: u64,
    pub(super) reconnects: u64,
    pub(super) gaps: u64,
    pub(super) position: Option<String>,
}

impl Counts {
    /// Returns the number of events that `--count` is compared with.
    pub(super) fn counted(&self) -> u64 {
        self.events - self.uncounted
    }

    pub(super) fn exit(&self) -> Exit {
        if self.gaps > 0 {
            Exit::Unexpected
        } else {
            Exit::Ok
        }
    }

    pub(super) fn exit_after_time(&self, count: Option<u64>) -> Exit {
        if count.is_some() {
            Exit::TimedOut
        } else {
            self.exit()
        }
    }

    /// Returns the failure to print for an exit code; `None` for a success.
    pub(super) fn failure(&self, exit: Exit, count: Option<u64>) -> Option<Failure> {
        match exit {
            Exit::Unexpected => {
                let message = format!("events were missed: gaps {}", self.gaps);
                Some(Failure::new(exit, message))
            }
            Exit::TimedOut => Some(self.too_few(count.unwrap_or_default())),
            _ => None,
        }
    }

    fn too_few(&self, count: u64) -> Failure {
        let message = format!("{} of {count} events came in time", self.counted());
        let failure = Failure::new(Exit::TimedOut, message);
        if self.uncounted == 0 {
            return failure;
        }
        failure.hint(format!(
            "events that an earlier session missed: {}. They count only with --count-replayed",
            self.uncounted
        ))
    }

    /// Formats the counts. `live` says for how long the session was live.
    pub(super) fn text(&self, live: &str) -> String {
        let replayed = match self.replayed {
            0 => String::new(),
            count => format!(" ({count} replayed)"),
        };
        let position = self
            .position
            .as_deref()
            .map(|at| format!(", position {at}"))
            .unwrap_or_default();
        format!(
            "events {}{replayed}, reconnects {}, gaps {}, {live}{position}",
            self.events, self.reconnects, self.gaps
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_not_a_success() {
        let complete = Counts {
            events: 1,
            ..Counts::default()
        };
        let with_gap = Counts {
            gaps: 1,
            ..Counts::default()
        };
        assert_eq!(
            [complete.exit(), with_gap.exit()],
            [Exit::Ok, Exit::Unexpected]
        );
        assert_eq!(complete.exit_after_time(None), Exit::Ok);
        assert_eq!(with_gap.exit_after_time(None), Exit::Unexpected);
        assert_eq!(complete.exit_after_time(Some(2)), Exit::TimedOut);
    }

    #[test]
    fn each_failure_has_an_error_line() {
        let counts = Counts {
            events: 1,
            gaps: 2,
            ..Counts::default()
        };
        let said = |exit| Some(counts.failure(exit, Some(3))?.chain());
        let missed = "events were missed: gaps 2";
        assert_eq!(said(Exit::Unexpected).as_deref(), Some(missed));
        let late = "1 of 3 events came in time";
        assert_eq!(said(Exit::TimedOut).as_deref(), Some(late));
        assert_eq!(said(Exit::Ok), None);
        assert_eq!(said(Exit::Interrupted), None);
    }

    #[test]
    fn events_from_before_the_run_are_left_out_of_the_count() {
        let counts = Counts {
            events: 3,
            replayed: 2,
            uncounted: 1,
            ..Counts::default()
        };
        let failure = counts.failure(Exit::TimedOut, Some(3)).unwrap();
        assert_eq!(failure.chain(), "2 of 3 events came in time");
        assert!(failure.hint.unwrap().contains("--count-replayed"));
        let without = Counts::default().failure(Exit::TimedOut, Some(1)).unwrap();
        assert_eq!(without.hint, None);
    }

    #[test]
    fn a_summary_shows_the_position_to_resume_from() {
        let counts = Counts {
            events: 12,
            replayed: 2,
            uncounted: 0,
            reconnects: 1,
            gaps: 0,
            position: Some("p.12".into()),
        };
        insta::assert_snapshot!(
            counts.text("live 7.5 of 8.0 s"),
            @"events 12 (2 replayed), reconnects 1, gaps 0, live 7.5 of 8.0 s, position p.12"
        );
        insta::assert_snapshot!(
            Counts::default().text("live 1.0 of 8.0 s"),
            @"events 0, reconnects 0, gaps 0, live 1.0 of 8.0 s"
        );
    }
}
