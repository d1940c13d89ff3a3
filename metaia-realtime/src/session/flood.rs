//! The rule by which a client floods its session. A pure kernel.
//!
//! Events beyond the rate are refused, which costs little. So a burst is no reason to disconnect a
//! client, nor is a rate that is somewhat too high. A client floods if it sends more than twice its
//! rate for 5 s (`FLOOD_TIMEOUT`) without a pause of 500 ms (`PAUSE`).

use std::time::Duration;

use tokio::time::Instant;

use crate::{Limits, rate::Rate};

/// The time for which a client may flood.
const FLOOD_TIMEOUT: Duration = Duration::from_secs(5);

/// A client that has kept its rate for this long does not flood any more.
const PAUSE: Duration = Duration::from_millis(500);

/// The refusals of one session.
#[derive(Debug)]
pub(super) struct Flood {
    /// As many refusals as events are taken: beyond that a client sends more than twice its rate.
    tolerated: Rate,
    /// The first refusal beyond that since the last pause, and the last one.
    began_and_last: Option<(Instant, Instant)>,
}

impl Flood {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            tolerated: Rate::new(limits.inbound_burst, limits.inbound_per_s),
            began_and_last: None,
        }
    }

    /// Records that an event is refused now. Returns whether the session is to end.
    pub(super) fn refuse(&mut self) -> bool {
        if self.tolerated.take() {
            return false;
        }
        let now = Instant::now();
        let began = match self.began_and_last {
            Some((began, last)) if now - last < PAUSE => began,
            _ => now,
        };
        self.began_and_last = Some((began, now));
        now - began >= FLOOD_TIMEOUT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Refuses `count` events with `pause` before each. Returns after how long the session ends.
    async fn refuse(flood: &mut Flood, count: usize, pause: Duration) -> Option<Duration> {
        let began = Instant::now();
        for _ in 0..count {
            tokio::time::advance(pause).await;
            if flood.refuse() {
                return Some(began.elapsed());
            }
        }
        None
    }

    fn flood() -> Flood {
        Flood::new(&Limits::default())
    }

    #[tokio::test(start_paused = true)]
    async fn any_number_at_once_is_no_flood() {
        assert_eq!(refuse(&mut flood(), 100_000, Duration::ZERO).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn bursts_with_pauses_between_them_are_no_flood() {
        let mut flood = flood();
        for _ in 0..60 {
            assert_eq!(
                refuse(&mut flood, 500, Duration::from_millis(1)).await,
                None
            );
            tokio::time::advance(PAUSE).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_that_is_somewhat_too_high_is_no_flood() {
        let pause = Duration::from_millis(50);
        assert_eq!(refuse(&mut flood(), 10_000, pause).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_pause_floods_after_five_seconds() {
        let ended = refuse(&mut flood(), 10_000, Duration::from_millis(2)).await;
        let ended = ended.unwrap().as_millis();
        assert!((5_000..5_500).contains(&ended), "after {ended} ms");
    }
}
