//! Which frames are new: each is taken once, and soon.
//!
//! A signature says who made a frame, not when it was sent. What was made more than ten seconds ago
//! by our clock, or will be, is not taken; of what is younger each node's numbers are kept, the
//! last 128 of them. So a recorded frame is never taken twice by a node, and never at all after ten
//! seconds. Nodes are remembered up to 64; where there are more, the one that was silent longest is
//! forgotten.

use std::{collections::HashMap, time::Duration};

use crate::values::NodeId;

/// How far the clocks of nodes may be apart, and how long a frame may be on its way.
pub(crate) const FRESH: Duration = Duration::from_secs(10);
const NODES: usize = 64;

/// What was heard of all nodes.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    nodes: HashMap<NodeId, Seen>,
    received: u64,
}

/// What was heard of one.
#[derive(Debug)]
struct Seen {
    highest: u64,
    /// Bit `i`: `highest - i` was heard.
    bits: u128,
    /// The place of the last of them among all that was heard.
    last: u64,
}

/// Why a frame is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Old {
    /// Made too long ago, or in the future.
    Stale,
    /// Heard before, or so long ago that nobody knows.
    Repeated,
}

impl Replay {
    /// Takes a frame, made at `ts` by its node's clock, where ours says `now`; both in ms.
    pub(crate) fn take(&mut self, node: NodeId, seq: u64, ts: i64, now: i64) -> Result<(), Old> {
        if u128::from(ts.abs_diff(now)) > FRESH.as_millis() {
            return Err(Old::Stale);
        }
        if !self.nodes.contains_key(&node) && self.nodes.len() >= NODES {
            self.forget_one();
        }
        self.received += 1;
        let seen = self.nodes.entry(node).or_insert(Seen {
            highest: seq,
            bits: 0,
            last: 0,
        });
        seen.last = self.received;
        if seen.take(seq) {
            Ok(())
        } else {
            Err(Old::Repeated)
        }
    }

    fn forget_one(&mut self) {
        if let Some(node) = self
            .nodes
            .iter()
            .min_by_key(|(_, seen)| seen.last)
            .map(|(node, _)| *node)
        {
            self.nodes.remove(&node);
        }
    }
}

impl Seen {
    fn take(&mut self, seq: u64) -> bool {
        if let Some(ahead @ 1..) = seq.checked_sub(self.highest) {
            self.bits = u32::try_from(ahead)
                .ok()
                .and_then(|by| self.bits.checked_shl(by))
                .unwrap_or(0);
            self.highest = seq;
        }
        let Some(bit) = u32::try_from(self.highest - seq)
            .ok()
            .and_then(|by| 1u128.checked_shl(by))
        else {
            return false;
        };
        let new = self.bits & bit == 0;
        self.bits |= bit;
        new
    }
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
    fn a_frame_is_taken_once_and_within_ten_seconds() {
        let mut replay = Replay::default();
        assert_eq!(replay.take(node(1), 5, 0, 10_001), Err(Old::Stale));
        assert_eq!(replay.take(node(1), 5, 20_002, 10_001), Err(Old::Stale));
        assert_eq!(replay.take(node(1), 5, i64::MIN, i64::MAX), Err(Old::Stale));
        assert_eq!(replay.take(node(1), 5, 0, 10_000), Ok(()));
        assert_eq!(replay.take(node(1), 5, 0, 10_000), Err(Old::Repeated));
        assert_eq!(replay.take(node(2), 5, 0, 10_000), Ok(()));
    }

    #[test]
    fn as_many_nodes_as_one_likes_are_kept_in_bounded_memory() {
        let mut replay = Replay::default();
        for i in 0..=255 {
            assert_eq!(replay.take(node(i), 1, 0, 0), Ok(()));
            assert_eq!(
                replay.take(node(0), u64::from(i) + 2, 0, 0),
                Ok(()),
                "who talks is not forgotten"
            );
        }
        assert_eq!(replay.nodes.len(), NODES);
        assert_eq!(replay.take(node(0), 3, 0, 0), Err(Old::Repeated));
    }

    proptest! {
        /// Against the naive model: a set of all numbers. What is not taken wrongly is older than
        /// 128.
        #[test]
        fn no_number_is_taken_twice_and_no_new_one_is_lost_near_the_highest(
            numbers in proptest::collection::vec(prop_oneof![0u64..400, any::<u64>()], 0..200),
        ) {
            let (mut replay, mut taken, mut highest) = (Replay::default(), HashSet::new(), 0);
            for seq in numbers {
                let new = replay.take(node(1), seq, 0, 0).is_ok();
                highest = highest.max(seq);
                if new {
                    prop_assert!(taken.insert(seq));
                } else {
                    prop_assert!(taken.contains(&seq) || highest - seq >= 128);
                }
            }
        }
    }
}
