//! How much a client may send: what it is answered waits in the engine, and is read by nobody where
//! it does not read.
//!
//! The engine answers a CONNECT that names an unknown namespace by repeating the name, without
//! asking anybody. Over a WebSocket reading stops with writing (see
//! [`guard`](crate::transport::guard)). A client that polls is read whatever it takes, so that it
//! is ended when it has sent too much without asking for its answers.

use std::{
    future::Future,
    num::NonZeroU32,
    pin::pin,
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    task::Poll,
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::Limits;

/// What a client may send before it is authenticated: some CONNECTs of the largest size.
const UNJOINED_BYTES: u64 = 256 * 1024;

/// What a client that polls may POST without a GET at the server.
const UNASKED_BYTES: u64 = 256 * 1024;

/// What frames, pings and pongs take beside a message, at most.
const BESIDE: u64 = 1_024;

/// The bytes that one client has sent, against what it may.
#[derive(Debug)]
pub(super) struct Intake {
    joined: AtomicBool,
    unjoined: AtomicU64,
    rate: DefaultDirectRateLimiter,
    /// GETs that wait at the server.
    waiting: AtomicU32,
    /// What was POSTed while none did, less what went out since: as much can wait in the engine.
    unasked: AtomicU64,
}

impl Intake {
    /// As many bytes as the largest messages have that the client may send, those that are refused
    /// included: nobody who keeps to the other limits meets this one.
    pub(super) fn new(limits: &Limits) -> Self {
        let bytes = |messages: u64| {
            let bytes = (limits.message_bytes as u64)
                .saturating_add(BESIDE)
                .saturating_mul(messages);
            NonZeroU32::new(u32::try_from(bytes).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN)
        };
        let quota = Quota::per_second(bytes(limits.inbound_per_s.into()))
            .allow_burst(bytes(u64::from(limits.inbound_burst) * 2));
        Self {
            joined: AtomicBool::new(false),
            unjoined: AtomicU64::new(0),
            rate: RateLimiter::direct(quota),
            waiting: AtomicU32::new(0),
            unasked: AtomicU64::new(0),
        }
    }

    pub(super) fn join(&self) {
        self.joined.store(true, Ordering::Release);
    }

    pub(super) fn has_joined(&self) -> bool {
        self.joined.load(Ordering::Acquire)
    }

    /// So many more bytes came. Answers whether the client may go on.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let Some(some) = u32::try_from(bytes).ok().and_then(NonZeroU32::new) else {
            return bytes == 0;
        };
        if !self.has_joined() && adds_up_to(&self.unjoined, bytes) > UNJOINED_BYTES {
            return false;
        }
        matches!(self.rate.check_n(some), Ok(Ok(())))
    }

    /// So many more bytes came by a POST.
    pub(super) fn take_posted(&self, bytes: usize) -> bool {
        let is_asked = self.waiting.load(Ordering::Acquire) > 0;
        self.take(bytes) && (is_asked || adds_up_to(&self.unasked, bytes) <= UNASKED_BYTES)
    }

    /// So many bytes go out in the answer to a GET.
    pub(super) fn give(&self, bytes: usize) {
        let less = |unasked: u64| Some(unasked.saturating_sub(bytes as u64));
        self.unasked
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, less)
            .ok();
    }

    /// Answers a GET. Where it has to wait, nothing else does.
    pub(super) async fn answer<F: Future>(&self, answering: F) -> F::Output {
        let mut answering = pin!(answering);
        if let Poll::Ready(answer) = futures_util::poll!(answering.as_mut()) {
            return answer;
        }
        self.unasked.store(0, Ordering::Release);
        let _waiting = Waiting::of(self);
        answering.await
    }
}

fn adds_up_to(sum: &AtomicU64, bytes: usize) -> u64 {
    sum.fetch_add(bytes as u64, Ordering::AcqRel) + bytes as u64
}

/// A GET that waits.
struct Waiting<'a>(&'a Intake);

impl<'a> Waiting<'a> {
    fn of(intake: &'a Intake) -> Self {
        intake.waiting.fetch_add(1, Ordering::AcqRel);
        Self(intake)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGEST: usize = 64 * 1024;

    #[test]
    fn the_largest_messages_at_the_highest_rate_are_taken_and_many_more_are_not() {
        let intake = Intake::new(&Limits::default());
        intake.join();
        for _ in 0..Limits::default().inbound_burst * 2 {
            assert!(intake.take(LARGEST));
        }
        assert!((0..20).any(|_| !intake.take(LARGEST)));
    }

    #[test]
    fn limits_beyond_counting_take_everything_that_can_be_counted() {
        let limits = Limits {
            message_bytes: usize::MAX,
            inbound_burst: u32::MAX,
            ..Limits::default()
        };
        let intake = Intake::new(&limits);
        intake.join();
        assert!(intake.take(LARGEST) && intake.take(0));
    }

    #[test]
    fn before_authentication_a_few_messages_are_taken() {
        let intake = Intake::new(&Limits::default());
        assert_eq!((0..100).take_while(|_| intake.take(LARGEST)).count(), 4);
    }

    #[tokio::test]
    async fn who_polls_must_ask_for_the_answers() {
        let intake = Intake::new(&Limits::default());
        intake.join();
        let mut waits = Box::pin(intake.answer(std::future::pending::<()>()));
        assert!(futures_util::poll!(waits.as_mut()).is_pending());
        assert!((0..10).all(|_| intake.take_posted(LARGEST)));
        drop(waits);
        assert_eq!(
            (0..100).take_while(|_| intake.take_posted(LARGEST)).count(),
            4
        );
        intake.answer(async {}).await;
        assert!(
            !intake.take_posted(1),
            "the answer may have been but a part of what waits"
        );
        intake.give(2 * LARGEST);
        assert!(intake.take_posted(1));
    }
}
