//! Whether this node, and not the log, is the one that is gone: a pure kernel.
//!
//! A log that cannot be read anywhere is waited for, with its clients: there is nowhere better for
//! them to be. But where another node can read what this one cannot, its clients are better off
//! there. So a node that has failed to read the log asks the others whether they can, once a
//! second, each time by another random number, which the answer has to repeat: so an answer was
//! read after the question, was meant for this node, and counts once. One that goes beyond what
//! this node knows shows that its clients are missing something; three of them to questions of the
//! last ten seconds prove it. Twenty seconds after the first failure the clients are sent away
//! then, and new ones are refused, until the log has been read again.
//!
//! Rings are no such proof: one that was under way when the log died for all would send everybody's
//! clients away. Nor is what somebody sends who hears no questions. Who hears them, and has the
//! cluster's key where there is one, can answer.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::frame::Probe;

/// How long a node hopes.
pub(crate) const HOPE: Duration = Duration::from_secs(20);
/// Questions that were asked so long ago say nothing any more, answered or not.
const FRESH: Duration = Duration::from_secs(10);
/// So many of them have to be answered.
const PROOF: usize = 3;
/// The most that are remembered. They are asked every second, and when a try fails.
const OPEN: usize = 32;

#[derive(Debug, Default)]
pub(crate) struct PartitionDetector {
    failing: Option<Failing>,
    cut: bool,
}

#[derive(Debug)]
struct Failing {
    since: Instant,
    /// Those that were asked of late.
    asked: VecDeque<Asked>,
}

#[derive(Debug)]
struct Asked {
    question: Probe,
    at: Instant,
    /// Another node has read beyond what this one knows since.
    answered: bool,
}

/// What becomes of the node's clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// They are sent away, and new ones refused.
    Cut,
    /// They may come.
    Back,
}

impl PartitionDetector {
    /// The log was read.
    pub(crate) fn read(&mut self) -> Option<Change> {
        self.failing = None;
        std::mem::take(&mut self.cut).then_some(Change::Back)
    }

    /// It could not be read, by a try that began then.
    pub(crate) fn failed(&mut self, began: Instant) {
        self.failing.get_or_insert(Failing {
            since: began,
            asked: VecDeque::new(),
        });
    }

    /// What the others are to be asked now, while the log cannot be read and nothing has followed
    /// from it.
    pub(crate) fn ask(&mut self, now: Instant) -> Option<Probe> {
        let failing = self.failing.as_mut().filter(|_| !self.cut)?;
        if failing.asked.len() == OPEN {
            failing.asked.pop_front();
        }
        let question = Probe::random();
        failing.asked.push_back(Asked {
            question,
            at: now,
            answered: false,
        });
        Some(question)
    }

    /// Another node has answered. `is_beyond`: it has read beyond what this one knows.
    pub(crate) fn answered(&mut self, question: Probe, is_beyond: bool) {
        let asked = self
            .failing
            .iter_mut()
            .flat_map(|failing| &mut failing.asked);
        for asked in asked.filter(|asked| asked.question == question) {
            asked.answered |= is_beyond;
        }
    }

    /// Time has passed.
    pub(crate) fn look(&mut self, now: Instant) -> Option<Change> {
        let failing = self.failing.as_mut()?;
        failing.asked.retain(|asked| now < asked.at + FRESH);
        let answered = failing.asked.iter().filter(|asked| asked.answered).count();
        let lost = answered >= PROOF && now >= failing.since + HOPE;
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
        /// It is asked, and answered if so.
        Ask(bool),
        /// A question of long ago is answered, or one of somebody else's.
        Old(usize),
        Nothing,
    }

    proptest! {
        /// Against the history: cut off is who has failed for 20 s without a good read, and of
        /// whose questions three of the last ten seconds were answered; and whoever has read the
        /// log since is not.
        #[test]
        fn only_who_alone_cannot_read_is_cut_off(
            steps in proptest::collection::vec(
                (prop_oneof![
                    1 => Just(Step::Read), 6 => Just(Step::Failed), 9 => any::<bool>().prop_map(Step::Ask),
                    2 => (0usize..20).prop_map(Step::Old), 3 => Just(Step::Nothing)
                ], 0u64..4),
                1..90,
            ),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let _entered = runtime.enter();
            let (mut kernel, mut now, mut cut) = (PartitionDetector::default(), Instant::now(), false);
            let (mut since, mut answered, mut gone) = (None, Vec::new(), vec![Probe::random()]);
            for (step, pass) in steps {
                now += Duration::from_secs(pass);
                match step {
                    Step::Read => {
                        prop_assert_eq!(kernel.read(), cut.then_some(Change::Back));
                        (since, cut) = (None, false);
                        answered.clear();
                    }
                    Step::Failed => {
                        kernel.failed(now);
                        since = since.or(Some(now));
                    }
                    Step::Ask(answers) => {
                        let question = kernel.ask(now);
                        prop_assert_eq!(question.is_some(), since.is_some() && !cut);
                        if let Some(question) = question {
                            kernel.answered(question, answers);
                            // Twice is once.
                            kernel.answered(question, answers);
                            answered.extend(answers.then_some(now));
                            if answers {
                                gone.push(question);
                            }
                        }
                    }
                    Step::Old(which) => kernel.answered(gone[which % gone.len()], true),
                    Step::Nothing => {}
                }
                answered.retain(|at| now < *at + FRESH);
                let due = answered.len() >= PROOF && since.is_some_and(|since| now >= since + HOPE);
                prop_assert_eq!(kernel.look(now), (due && !cut).then_some(Change::Cut));
                cut = cut || due;
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_answered_long_ago_proves_nothing() {
        let (mut kernel, now) = (PartitionDetector::default(), Instant::now());
        assert_eq!(kernel.ask(now), None, "the log can be read");
        kernel.failed(now);
        let ask = |kernel: &mut PartitionDetector, now| {
            (0..PROOF).for_each(|_| {
                let question = kernel.ask(now).unwrap();
                kernel.answered(question, true);
            });
        };
        ask(&mut kernel, now);
        assert_eq!(
            kernel.look(now + HOPE),
            None,
            "the log may have died for all since"
        );
        ask(&mut kernel, now + HOPE);
        assert_eq!(kernel.look(now + HOPE), Some(Change::Cut));
        assert_eq!(kernel.look(now + HOPE), None, "once");
        assert_eq!(kernel.read(), Some(Change::Back));
    }
}
