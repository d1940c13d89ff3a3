//! Whether this node, and not the log, is the one that is gone: a pure kernel.
//!
//! A log that cannot be read anywhere is waited for, with its clients: there is nowhere better for them to be. But where
//! another node can read what this one cannot, its clients are better off there. So a node that has failed to read the
//! log asks the others whether they can. An answer that was read after the question, and goes beyond what this node
//! knows, proves that its clients are missing something. Twenty seconds after the first failure they are sent away, and new
//! ones are refused, until the log has been read again.
//!
//! Rings are no such proof: one that was under way when the log died for all would send everybody's clients away.

use std::time::Duration;

use tokio::time::Instant;

/// How long a node hopes.
pub(super) const HOPE: Duration = Duration::from_secs(20);

#[derive(Debug, Default)]
pub(super) struct CutOff {
    failing: Option<Failing>,
    cut: bool,
}

#[derive(Debug, Clone, Copy)]
struct Failing {
    since: Instant,
    /// Another node has read beyond what this one knows, after this one had failed.
    proven: bool,
}

/// What becomes of the node's clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// They are sent away, and new ones refused.
    Cut,
    /// They may come.
    Back,
}

impl CutOff {
    /// The log was read.
    pub(super) fn read(&mut self) -> Option<Change> {
        self.failing = None;
        std::mem::take(&mut self.cut).then_some(Change::Back)
    }

    /// It could not be read, by a try that began then.
    pub(super) fn failed(&mut self, began: Instant) {
        self.failing.get_or_insert(Failing { since: began, proven: false });
    }

    /// Another node answered that it has read beyond what this one knows.
    pub(super) fn answered(&mut self) {
        if let Some(failing) = &mut self.failing {
            failing.proven = true;
        }
    }

    /// Whether the others are to be asked: until they have answered, and where nobody can they are asked again.
    pub(super) fn wants_to_ask(&self) -> bool {
        self.failing.is_some_and(|failing| !failing.proven)
    }

    /// Time has passed.
    pub(super) fn look(&mut self, now: Instant) -> Option<Change> {
        let lost = self.failing.is_some_and(|failing| failing.proven && now >= failing.since + HOPE);
        (lost && !std::mem::replace(&mut self.cut, true)).then_some(Change::Cut)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Read,
        Failed,
        Answered,
        Nothing,
    }

    proptest! {
        /// Against the history: cut off is who has failed for 20 s without a good read, with an answer since the first
        /// failure; and whoever has read the log since is not.
        #[test]
        fn only_who_alone_cannot_read_is_cut_off(
            steps in proptest::collection::vec(
                (prop_oneof![
                    1 => Just(Step::Read), 6 => Just(Step::Failed), 3 => Just(Step::Answered), 3 => Just(Step::Nothing)
                ], 0u64..8),
                1..60,
            ),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let _entered = runtime.enter();
            let (mut kernel, mut now, mut cut) = (CutOff::default(), Instant::now(), false);
            let (mut since, mut proven) = (None, false);
            for (step, pass) in steps {
                now += Duration::from_secs(pass);
                match step {
                    Step::Read => {
                        prop_assert_eq!(kernel.read(), cut.then_some(Change::Back));
                        (since, proven, cut) = (None, false, false);
                    }
                    Step::Failed => {
                        kernel.failed(now);
                        since = since.or(Some(now));
                    }
                    Step::Answered => {
                        kernel.answered();
                        proven = proven || since.is_some();
                    }
                    Step::Nothing => {}
                }
                prop_assert_eq!(kernel.wants_to_ask(), since.is_some() && !proven);
                let due = proven && since.is_some_and(|since| now >= since + HOPE);
                prop_assert_eq!(kernel.look(now), (due && !cut).then_some(Change::Cut));
                cut = cut || due;
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_before_the_first_failure_proves_nothing() {
        let (mut kernel, now) = (CutOff::default(), Instant::now());
        kernel.answered();
        kernel.failed(now);
        assert_eq!(kernel.look(now + HOPE * 9), None);
        kernel.answered();
        assert_eq!(kernel.look(now + HOPE * 9), Some(Change::Cut));
        assert_eq!(kernel.look(now + HOPE * 9), None, "once");
        assert_eq!(kernel.read(), Some(Change::Back));
    }
}
