//! Limits on the bytes that a client may send.
//!
//! The engine answers some packets on its own, and the answers collect in its memory while the
//! client does not read them. For example, it answers a CONNECT with an unknown namespace by
//! repeating the name. Over a WebSocket, reading pauses while writing is blocked (see
//! [`guard`](crate::transport::guard)). A polling client is read even if it takes no answers, so
//! that its session ends once it has sent too much without a poll.

use std::{
    future::Future,
    num::NonZeroU32,
    pin::pin,
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    task::Poll,
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::{Limits, values::at_least_one};

/// The most bytes that a client may send before it is authenticated: a few CONNECTs of the largest
/// size.
const MAX_UNJOINED_BYTES: u64 = 256 * 1024;

/// The most bytes that a polling client may POST while no poll waits at the server.
const MAX_UNPOLLED_BYTES: u64 = 256 * 1024;

/// The most bytes that frames, pings and pongs add to a message.
const MESSAGE_OVERHEAD: u64 = 1_024;

/// The bytes that one client has sent, and their limits.
#[derive(Debug)]
pub(super) struct ReadBudget {
    joined: AtomicBool,
    unjoined: AtomicU64,
    rate: DefaultDirectRateLimiter,
    /// The number of polls that wait at the server.
    waiting_polls: AtomicU32,
    /// Bytes that were POSTed while no poll waited, less the bytes sent since: as many bytes of
    /// answers may wait in the engine.
    unpolled: AtomicU64,
}

impl ReadBudget {
    /// Creates the budget of one client.
    ///
    /// The rate allows the largest messages at the highest message rate, those that are refused
    /// included. A client that keeps the other limits never reaches it.
    pub(super) fn new(limits: &Limits) -> Self {
        let with_overhead = |bytes: usize| (bytes as u64).saturating_add(MESSAGE_OVERHEAD);
        let largest_event = with_overhead(limits.message_bytes);
        let largest_room_event = with_overhead(limits.room_event_bytes);
        let bytes = |events: u64, room_events: u64| {
            let bytes = largest_event.saturating_mul(events);
            let bytes = bytes.saturating_add(largest_room_event.saturating_mul(room_events));
            at_least_one(u32::try_from(bytes).unwrap_or(u32::MAX))
        };
        let per_s = u64::from(limits.inbound_per_s);
        // Twice the burst: events that are somewhat too many are refused, no more.
        let burst = bytes(
            u64::from(limits.inbound_burst) * 2,
            limits.room_events_burst.into(),
        );
        let quota = Quota::per_second(bytes(per_s, per_s)).allow_burst(burst);
        Self {
            joined: AtomicBool::new(false),
            unjoined: AtomicU64::new(0),
            rate: RateLimiter::direct(quota),
            waiting_polls: AtomicU32::new(0),
            unpolled: AtomicU64::new(0),
        }
    }

    /// Lifts the limit for clients that are not authenticated.
    pub(super) fn join(&self) {
        self.joined.store(true, Ordering::Release);
    }

    pub(super) fn has_joined(&self) -> bool {
        self.joined.load(Ordering::Acquire)
    }

    /// Counts `bytes` that came from the client. Returns whether they are within the limits.
    pub(super) fn take(&self, bytes: usize) -> bool {
        if bytes == 0 {
            return true;
        }
        let Some(counted) = u32::try_from(bytes).ok().and_then(NonZeroU32::new) else {
            return false;
        };
        if !self.has_joined() && add(&self.unjoined, bytes) > MAX_UNJOINED_BYTES {
            return false;
        }
        matches!(self.rate.check_n(counted), Ok(Ok(())))
    }

    /// Counts `bytes` that came in a POST. Returns whether they are within the limits.
    pub(super) fn take_posted(&self, bytes: usize) -> bool {
        let has_waiting_poll = self.has_waiting_poll();
        if !self.take(bytes) {
            return false;
        }
        has_waiting_poll || add(&self.unpolled, bytes) <= MAX_UNPOLLED_BYTES
    }

    /// Subtracts `bytes` that the answer to a poll contains.
    pub(super) fn release(&self, bytes: usize) {
        let subtract = |unpolled: u64| Some(unpolled.saturating_sub(bytes as u64));
        self.unpolled
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, subtract)
            .ok();
    }

    /// Returns whether a poll waits at the server.
    pub(super) fn has_waiting_poll(&self) -> bool {
        self.waiting_polls.load(Ordering::Acquire) > 0
    }

    /// Awaits the response to a poll, and counts the poll as waiting meanwhile.
    pub(super) async fn track_poll<F: Future>(&self, response: F) -> F::Output {
        let mut response = pin!(response);
        if let Poll::Ready(response) = futures_util::poll!(response.as_mut()) {
            return response;
        }
        // A poll waits only if the engine has nothing to send.
        self.unpolled.store(0, Ordering::Release);
        let _waiting = WaitingPoll::new(self);
        response.await
    }
}

/// Adds `bytes` and returns the sum.
fn add(sum: &AtomicU64, bytes: usize) -> u64 {
    sum.fetch_add(bytes as u64, Ordering::AcqRel) + bytes as u64
}

/// A poll that waits at the server. Dropping it ends the waiting.
struct WaitingPoll<'a>(&'a ReadBudget);

impl<'a> WaitingPoll<'a> {
    fn new(budget: &'a ReadBudget) -> Self {
        budget.waiting_polls.fetch_add(1, Ordering::AcqRel);
        Self(budget)
    }
}

impl Drop for WaitingPoll<'_> {
    fn drop(&mut self) {
        self.0.waiting_polls.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGEST: usize = 64 * 1024;

    #[test]
    fn the_largest_messages_at_the_highest_rate_are_taken_and_many_more_are_not() {
        let budget = ReadBudget::new(&Limits::default());
        budget.join();
        let limits = Limits::default();
        for _ in 0..limits.inbound_burst * 2 {
            assert!(budget.take(LARGEST));
        }
        for _ in 0..limits.room_events_burst {
            assert!(budget.take(limits.room_event_bytes));
        }
        assert!((0..20).any(|_| !budget.take(LARGEST)));
    }

    #[test]
    fn limits_beyond_counting_take_everything_that_can_be_counted() {
        let limits = Limits {
            message_bytes: usize::MAX,
            inbound_burst: u32::MAX,
            ..Limits::default()
        };
        let budget = ReadBudget::new(&limits);
        budget.join();
        assert!(budget.take(LARGEST) && budget.take(0));
    }

    #[test]
    fn before_authentication_a_few_messages_are_taken() {
        let budget = ReadBudget::new(&Limits::default());
        assert_eq!((0..100).take_while(|_| budget.take(LARGEST)).count(), 4);
    }

    #[tokio::test]
    async fn a_polling_client_must_poll_for_the_answers() {
        let budget = ReadBudget::new(&Limits::default());
        budget.join();
        let mut poll = Box::pin(budget.track_poll(std::future::pending::<()>()));
        assert!(futures_util::poll!(poll.as_mut()).is_pending());
        assert!((0..10).all(|_| budget.take_posted(LARGEST)));
        drop(poll);
        let taken = (0..100).take_while(|_| budget.take_posted(LARGEST)).count();
        assert_eq!(taken, 4);
        budget.track_poll(async {}).await;
        assert!(
            !budget.take_posted(1),
            "the answer may have been only a part of what waits"
        );
        budget.release(2 * LARGEST);
        assert!(budget.take_posted(1));
    }
}
