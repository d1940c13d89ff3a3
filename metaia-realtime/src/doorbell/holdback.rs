//! Volatile events that came before what their sender knew of the log: a pure kernel.
//!
//! One that was sent after somebody lost an order's room must not be delivered before that is known
//! here. So it waits until as much has been dispatched as its sender knew of, a second at most. At
//! most 256 wait, and 4 MiB; where there are more the oldest is dropped.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::frame::VolatileFrame;
use crate::doorbell::log_head::LogHead;

/// After this an event is not worth delivering.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);
const MOST: usize = 256;
const BYTES: usize = 4 * 1024 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Holdback {
    held: VecDeque<(Instant, VolatileFrame)>,
    bytes: usize,
}

impl Holdback {
    /// Whether nothing waits: then who comes may be delivered at once, without overtaking anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Keeps one. Answers how many were dropped for it.
    pub(crate) fn hold(&mut self, cast: VolatileFrame, now: Instant) -> usize {
        self.bytes += size(&cast);
        self.held.push_back((now + PATIENCE, cast));
        let mut dropped = 0;
        while self.held.len() > MOST || self.bytes > BYTES {
            let Some((_, oldest)) = self.held.pop_front() else {
                break;
            };
            self.bytes -= size(&oldest);
            dropped += 1;
        }
        dropped
    }

    /// Hands out those that may be delivered, in the order in which they came, and forgets those
    /// that waited too long. Answers how many these were.
    pub(crate) fn release(
        &mut self,
        dispatched: LogHead,
        now: Instant,
    ) -> (Vec<VolatileFrame>, usize) {
        let (mut ready, mut late) = (Vec::new(), 0);
        for (until, cast) in std::mem::take(&mut self.held) {
            if until <= now {
                late += 1;
            } else if cast.at.is_beyond(dispatched) {
                self.held.push_back((until, cast));
            } else {
                ready.push(cast);
            }
        }
        self.bytes = self.held.iter().map(|(_, cast)| size(cast)).sum();
        (ready, late)
    }

    /// When the first of them has waited too long.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.held.front().map(|(until, _)| *until)
    }
}

fn size(cast: &VolatileFrame) -> usize {
    const ROOM: usize = 96;
    cast.payload.get().len() + cast.rooms.len() * ROOM
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::values::Epoch;

    fn at(n: u64) -> LogHead {
        LogHead {
            epoch: Epoch::from_bits(1),
            n,
        }
    }

    fn volatile(n: u64, bytes: usize) -> VolatileFrame {
        let payload = RawValue::from_string(format!("\"{}\"", "x".repeat(bytes))).unwrap();
        VolatileFrame {
            at: at(n),
            rooms: Vec::new(),
            name: "at".parse().unwrap(),
            payload,
        }
    }

    fn numbers(casts: &[VolatileFrame]) -> Vec<u64> {
        casts.iter().map(|cast| cast.at.n).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_sent_later_waits_for_the_log() {
        let (mut waiting, now) = (Holdback::default(), Instant::now());
        for n in [8, 9, 8] {
            assert_eq!(waiting.hold(volatile(n, 1), now), 0);
        }
        let (ready, late) = waiting.release(at(8), now);
        assert_eq!((numbers(&ready), late), (vec![8, 8], 0));
        assert!(!waiting.is_empty());
        let elsewhere = LogHead {
            epoch: Epoch::from_bits(2),
            n: 100,
        };
        assert!(
            waiting.release(elsewhere, now).0.is_empty(),
            "another epoch's numbers say nothing"
        );
        assert_eq!(waiting.due(), Some(now + PATIENCE));
        assert_eq!(waiting.release(at(9), now + PATIENCE).1, 1);
        assert_eq!((waiting.is_empty(), waiting.bytes), (true, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_newest_are_kept_in_bounded_memory() {
        let (mut waiting, now) = (Holdback::default(), Instant::now());
        let dropped: usize = (1..=1_000).map(|n| waiting.hold(volatile(n, 1), now)).sum();
        assert_eq!((dropped, waiting.held.len()), (744, MOST));
        assert_eq!(waiting.held.front().unwrap().1.at.n, 745);
        let dropped: usize = (1..=100)
            .map(|n| waiting.hold(volatile(n, 60_000), now))
            .sum();
        assert!(
            dropped > 256 && waiting.bytes <= BYTES,
            "{dropped}, {}",
            waiting.bytes
        );
    }
}
