//! The replay guard: accepts each frame once, and only for a short time. A pure kernel.
//!
//! A signature proves which node made a frame, not when it was sent. A frame that was made more
//! than 10 s before or after now, by this node's clock, is refused. Of each node the guard
//! remembers which of the last 128 numbers it has seen. So a node never accepts a recorded frame
//! twice, and never after 10 s. The guard remembers 64 nodes; beyond that it forgets the node that
//! was silent longest.

use std::{collections::HashMap, time::Duration};

use crate::values::NodeId;

/// The most that the clocks of nodes may differ, and the longest time that a frame may travel.
const MAX_AGE: Duration = Duration::from_secs(10);
const MAX_NODES: usize = 64;

/// The frames seen of all nodes.
#[derive(Debug, Default)]
pub(crate) struct ReplayGuard {
    nodes: HashMap<NodeId, Seen>,
    /// The number of checked frames, which orders nodes by their last frame.
    checked: u64,
}

/// The frames seen of one node.
#[derive(Debug)]
struct Seen {
    highest: u64,
    /// Bit `i` is set if the number `highest - i` was seen.
    bits: u128,
    /// The value of [`ReplayGuard::checked`] at the node's last frame.
    last: u64,
}

/// Reason why a frame is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplayError {
    /// The frame was made too long ago, or in the future.
    Stale,
    /// The frame was seen before, or its number is too old to tell.
    Repeated,
}

impl ReplayGuard {
    /// Accepts a frame of `node` with the number `seq` if it is new. It was made at `ts` by that
    /// node's clock; `now` is the time of this node's clock. Both are in ms.
    pub(crate) fn accept(
        &mut self,
        node: NodeId,
        seq: u64,
        ts: i64,
        now: i64,
    ) -> Result<(), ReplayError> {
        if u128::from(ts.abs_diff(now)) > MAX_AGE.as_millis() {
            return Err(ReplayError::Stale);
        }
        if !self.nodes.contains_key(&node) && self.nodes.len() >= MAX_NODES {
            self.forget_most_silent();
        }
        self.checked += 1;
        let seen = self.nodes.entry(node).or_insert(Seen {
            highest: seq,
            bits: 0,
            last: 0,
        });
        seen.last = self.checked;
        if seen.insert(seq) {
            Ok(())
        } else {
            Err(ReplayError::Repeated)
        }
    }

    fn forget_most_silent(&mut self) {
        let most_silent = self.nodes.iter().min_by_key(|(_, seen)| seen.last);
        if let Some(node) = most_silent.map(|(node, _)| *node) {
            self.nodes.remove(&node);
        }
    }
}

impl Seen {
    /// Adds a number. Returns false if it was there, or is too old to tell.
    fn insert(&mut self, seq: u64) -> bool {
        if seq > self.highest {
            self.bits = shifted(self.bits, seq - self.highest);
            self.highest = seq;
        }
        let bit = shifted(1, self.highest - seq);
        // The bit of a number 128 or more below the highest has been shifted out.
        if bit == 0 {
            return false;
        }
        let is_new = self.bits & bit == 0;
        self.bits |= bit;
        is_new
    }
}

/// Returns `bits << by`, or 0 if all bits are shifted out.
fn shifted(bits: u128, by: u64) -> u128 {
    let by = u32::try_from(by).unwrap_or(u32::MAX);
    bits.checked_shl(by).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn node(i: u8) -> NodeId {
        NodeId::from_bytes([i; 16])
    }

    #[test]
    fn a_frame_is_accepted_once_and_within_ten_seconds() {
        let mut guard = ReplayGuard::default();
        assert_eq!(guard.accept(node(1), 5, 0, 10_001), Err(ReplayError::Stale));
        assert_eq!(
            guard.accept(node(1), 5, 20_002, 10_001),
            Err(ReplayError::Stale)
        );
        assert_eq!(
            guard.accept(node(1), 5, i64::MIN, i64::MAX),
            Err(ReplayError::Stale)
        );
        assert_eq!(guard.accept(node(1), 5, 0, 10_000), Ok(()));
        assert_eq!(
            guard.accept(node(1), 5, 0, 10_000),
            Err(ReplayError::Repeated)
        );
        assert_eq!(guard.accept(node(2), 5, 0, 10_000), Ok(()));
    }

    #[test]
    fn any_number_of_nodes_is_kept_in_bounded_memory() {
        let mut guard = ReplayGuard::default();
        for i in 0..=255 {
            assert_eq!(guard.accept(node(i), 1, 0, 0), Ok(()));
            assert_eq!(
                guard.accept(node(0), u64::from(i) + 2, 0, 0),
                Ok(()),
                "a node that sends is not forgotten"
            );
        }
        assert_eq!(guard.nodes.len(), MAX_NODES);
        assert_eq!(guard.accept(node(0), 3, 0, 0), Err(ReplayError::Repeated));
    }

    proptest! {
        /// Compares with a naive model: a set of all numbers. A new number is refused only if it is
        /// 128 or more below the highest.
        #[test]
        fn no_number_is_accepted_twice_and_no_new_one_is_refused_near_the_highest(
            numbers in proptest::collection::vec(prop_oneof![0u64..400, any::<u64>()], 0..200),
        ) {
            let mut guard = ReplayGuard::default();
            let mut accepted = HashSet::new();
            let mut highest = 0;
            for seq in numbers {
                let is_new = guard.accept(node(1), seq, 0, 0).is_ok();
                highest = highest.max(seq);
                if is_new {
                    prop_assert!(accepted.insert(seq));
                } else {
                    prop_assert!(accepted.contains(&seq) || highest - seq >= 128);
                }
            }
        }
    }
}
