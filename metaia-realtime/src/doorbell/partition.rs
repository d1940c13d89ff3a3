//! The partition detector: finds out that this node alone cannot read the log. A pure kernel.
//!
//! A partitioned node ends its sessions and refuses new ones with the code `cut_off`
//! ([`EndReason::CutOff`](crate::EndReason::CutOff)). *Partitioned* and *cut off* are the same
//! state: the first is the word of the detector, the second is the code that clients and operators
//! see.
//!
//! If no node can read the log, each node waits and keeps its clients, since no other node could
//! serve them. If another node can read the log and this one cannot, the clients must go to the
//! other node. So a node that fails to read the log probes the others once a second. Each probe has
//! a random number of its own that the answer repeats: so the log was read after the probe, the
//! answer is meant for this node, and it counts once. If an answer names an entry beyond those that
//! this node knows, the clients of this node are missing entries. Three such answers (`QUORUM`) to
//! probes of the last 10 s (`PROBE_LIFETIME`) prove a partition. The node then disconnects its
//! clients and refuses new ones until it has read the log again, but not before 20 s (`GRACE`)
//! after the first failure.
//!
//! A notification proves nothing: one that was under way when the log failed for all nodes would
//! make all of them disconnect their clients. A frame from a sender that receives no probes proves
//! nothing either. A sender that receives probes can answer them, if it has the cluster's key or if
//! there is none.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::frame::Probe;

/// Time after the first failure during which clients are kept.
const GRACE: Duration = Duration::from_secs(20);
/// Age up to which a probe counts, answered or not.
const PROBE_LIFETIME: Duration = Duration::from_secs(10);
/// Answers that prove a partition.
const QUORUM: usize = 3;
/// Probes that are remembered, at most. They are sent every second and after each failed read.
const MAX_PROBES: usize = 32;

/// Decides whether this node is partitioned from the log. See the [module](self) for the rules.
#[derive(Debug, Default)]
pub(crate) struct PartitionDetector {
    failing: Option<Failing>,
    is_partitioned: bool,
}

#[derive(Debug)]
struct Failing {
    since: Instant,
    /// The probes sent lately, oldest first.
    sent: VecDeque<SentProbe>,
}

#[derive(Debug)]
struct SentProbe {
    probe: Probe,
    at: Instant,
    /// True if another node has answered that it has read beyond what this one knows.
    is_proof: bool,
}

/// A change of the node's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartitionChange {
    /// The node is partitioned from the log: it disconnects its clients and refuses new ones.
    Partitioned,
    /// The node has read the log again: it accepts clients.
    Healed,
}

impl PartitionDetector {
    /// Records a successful read of the log.
    pub(crate) fn log_read(&mut self) -> Option<PartitionChange> {
        self.failing = None;
        if !self.is_partitioned {
            return None;
        }
        self.is_partitioned = false;
        Some(PartitionChange::Healed)
    }

    /// Records a failed read of the log that began at `began`.
    pub(crate) fn log_failed(&mut self, began: Instant) {
        self.failing.get_or_insert(Failing {
            since: began,
            sent: VecDeque::new(),
        });
    }

    /// Returns a new probe to send, while the log cannot be read and no partition is proven.
    pub(crate) fn next_probe(&mut self, now: Instant) -> Option<Probe> {
        if self.is_partitioned {
            return None;
        }
        let failing = self.failing.as_mut()?;
        if failing.sent.len() == MAX_PROBES {
            failing.sent.pop_front();
        }
        let probe = Probe::random();
        failing.sent.push_back(SentProbe {
            probe,
            at: now,
            is_proof: false,
        });
        Some(probe)
    }

    /// Records the answer of another node. `is_beyond` is true if that node has read beyond what
    /// this one knows.
    pub(crate) fn probe_answered(&mut self, probe: Probe, is_beyond: bool) {
        let Some(failing) = &mut self.failing else {
            return;
        };
        for sent in &mut failing.sent {
            if sent.probe == probe {
                sent.is_proof |= is_beyond;
            }
        }
    }

    /// Decides at `now` whether a partition is proven. Reports it once.
    pub(crate) fn check(&mut self, now: Instant) -> Option<PartitionChange> {
        let failing = self.failing.as_mut()?;
        failing.sent.retain(|sent| now < sent.at + PROBE_LIFETIME);
        let proofs = failing.sent.iter().filter(|sent| sent.is_proof).count();
        let is_proven = proofs >= QUORUM && now >= failing.since + GRACE;
        if !is_proven || self.is_partitioned {
            return None;
        }
        self.is_partitioned = true;
        Some(PartitionChange::Partitioned)
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
        /// The node sends a probe, which is answered as proof if true.
        Probe(bool),
        /// An old probe is answered, or one of another node.
        OldProbe(usize),
        Nothing,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            1 => Just(Step::Read),
            6 => Just(Step::Failed),
            9 => any::<bool>().prop_map(Step::Probe),
            2 => (0usize..20).prop_map(Step::OldProbe),
            3 => Just(Step::Nothing),
        ]
    }

    /// The detector, beside a model that keeps the history.
    struct World {
        detector: PartitionDetector,
        now: Instant,
        is_partitioned: bool,
        failing_since: Option<Instant>,
        /// The times of the answered probes that still count.
        proofs: Vec<Instant>,
        old_probes: Vec<Probe>,
    }

    impl World {
        fn new() -> Self {
            Self {
                detector: PartitionDetector::default(),
                now: Instant::now(),
                is_partitioned: false,
                failing_since: None,
                proofs: Vec::new(),
                old_probes: vec![Probe::random()],
            }
        }

        fn take(&mut self, step: Step) {
            match step {
                Step::Read => {
                    let healed = self.is_partitioned.then_some(PartitionChange::Healed);
                    assert_eq!(self.detector.log_read(), healed);
                    self.failing_since = None;
                    self.is_partitioned = false;
                    self.proofs.clear();
                }
                Step::Failed => {
                    self.detector.log_failed(self.now);
                    self.failing_since.get_or_insert(self.now);
                }
                Step::Probe(is_proof) => self.probe(is_proof),
                Step::OldProbe(which) => {
                    let old = self.old_probes[which % self.old_probes.len()];
                    self.detector.probe_answered(old, true);
                }
                Step::Nothing => {}
            }
        }

        fn probe(&mut self, is_proof: bool) {
            let probe = self.detector.next_probe(self.now);
            let is_probing = self.failing_since.is_some() && !self.is_partitioned;
            assert_eq!(probe.is_some(), is_probing);
            let Some(probe) = probe else {
                return;
            };
            self.detector.probe_answered(probe, is_proof);
            // An answer that arrives twice counts once.
            self.detector.probe_answered(probe, is_proof);
            if is_proof {
                self.proofs.push(self.now);
                self.old_probes.push(probe);
            }
        }

        fn check(&mut self) {
            let now = self.now;
            self.proofs.retain(|at| now < *at + PROBE_LIFETIME);
            let has_waited = self.failing_since.is_some_and(|since| now >= since + GRACE);
            let is_proven = self.proofs.len() >= QUORUM && has_waited;
            let is_new = is_proven && !self.is_partitioned;
            let expected = is_new.then_some(PartitionChange::Partitioned);
            assert_eq!(self.detector.check(now), expected);
            self.is_partitioned |= is_proven;
        }
    }

    proptest! {
        /// A node is partitioned exactly if it has failed for 20 s without a good read, and three
        /// of its probes of the last 10 s were answered as proof. A good read heals it.
        #[test]
        fn only_a_node_that_alone_cannot_read_is_partitioned(
            steps in proptest::collection::vec((step(), 0u64..4), 1..90),
        ) {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let runtime = builder.enable_time().start_paused(true).build().unwrap();
            let _entered = runtime.enter();
            let mut world = World::new();
            for (step, seconds) in steps {
                world.now += Duration::from_secs(seconds);
                world.take(step);
                world.check();
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn answers_of_long_ago_prove_nothing() {
        let mut detector = PartitionDetector::default();
        let now = Instant::now();
        assert_eq!(detector.next_probe(now), None, "the log can be read");
        detector.log_failed(now);
        let prove = |detector: &mut PartitionDetector, now| {
            for _ in 0..QUORUM {
                let probe = detector.next_probe(now).unwrap();
                detector.probe_answered(probe, true);
            }
        };
        prove(&mut detector, now);
        let later = now + GRACE;
        assert_eq!(
            detector.check(later),
            None,
            "the log may have failed for all nodes since"
        );
        prove(&mut detector, later);
        assert_eq!(detector.check(later), Some(PartitionChange::Partitioned));
        assert_eq!(detector.check(later), None, "reported once");
        assert_eq!(detector.log_read(), Some(PartitionChange::Healed));
    }
}
