//! The queue of a session's inbound events. The transport's reader offers each event as it comes.
//!
//! An event is refused with `rate_limited` if it is beyond its rate, or if the events that wait
//! have 256 KiB (`Limits::inbound_bytes`). Joins and leaves have a rate of their own: a page may
//! join all of its rooms at once. They are small; a larger one names no order, and is refused for
//! that. The session stays, unless its client [floods](super::flood) it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc};

use super::{EndReason, EventRefusal, Inbound, Session, flood::Flood};
use crate::{Limits, rate::Rate};

/// The bytes that a waiting event counts besides its text. This bounds how many may wait.
const EVENT_OVERHEAD: usize = 64;

/// The sender's end of a session's inbound events, with their limits.
#[derive(Debug)]
pub(crate) struct InboundQueue {
    rate: Rate,
    room_rate: Rate,
    max_room_event: usize,
    flood: Mutex<Flood>,
    queue: mpsc::Sender<Inbound>,
    waiting_bytes: Arc<AtomicUsize>,
    max_waiting_bytes: usize,
}

/// The receiver's end of a session's inbound events.
#[derive(Debug)]
pub(crate) struct InboundEvents {
    queue: mpsc::Receiver<Inbound>,
    waiting_bytes: Arc<AtomicUsize>,
}

impl InboundQueue {
    /// Creates the queue of one session.
    pub(crate) fn new(limits: &Limits) -> (Self, InboundEvents) {
        // The bytes are the bound. The channel takes memory only for what is in it.
        let max_events = limits.inbound_bytes / EVENT_OVERHEAD + 1;
        let (queue, events) = mpsc::channel(max_events.min(Semaphore::MAX_PERMITS));
        let waiting_bytes = Arc::default();
        let events = InboundEvents {
            queue: events,
            waiting_bytes: Arc::clone(&waiting_bytes),
        };
        let inbound = Self {
            rate: Rate::new(limits.inbound_burst, limits.inbound_per_s),
            room_rate: Rate::new(limits.room_events_burst, limits.inbound_per_s),
            max_room_event: limits.room_event_bytes,
            flood: Mutex::new(Flood::new(limits)),
            queue,
            waiting_bytes,
            max_waiting_bytes: limits.inbound_bytes,
        };
        (inbound, events)
    }

    /// Queues the event, or refuses it. Ends the session if its client floods it. Never blocks.
    pub(crate) fn offer(&self, session: &Session, inbound: Inbound) {
        // A client that was told that its session ends is answered nothing after that.
        if session.ended_by().is_some() {
            return;
        }
        session.touch();
        match self.admit(&inbound) {
            Ok(()) => {
                // This fails only if the session's task has ended.
                self.queue.try_send(inbound).ok();
                session.wake();
            }
            Err(refusal) => self.refuse(session, &inbound, refusal),
        }
    }

    /// Reserves the bytes that the event takes in the queue.
    fn admit(&self, inbound: &Inbound) -> Result<(), EventRefusal> {
        self.check_size_and_rate(inbound)?;
        let add = |waiting: usize| {
            let sum = waiting.saturating_add(size_in_queue(inbound));
            // An event that is larger than the queue may wait in it alone.
            (waiting == 0 || sum <= self.max_waiting_bytes).then_some(sum)
        };
        let added = self
            .waiting_bytes
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, add);
        added.map(drop).map_err(|_| EventRefusal::RateLimited)
    }

    fn check_size_and_rate(&self, inbound: &Inbound) -> Result<(), EventRefusal> {
        let rate = match inbound.room_event_size() {
            None => &self.rate,
            Some(size) if size <= self.max_room_event => &self.room_rate,
            Some(_) => return Err(EventRefusal::InvalidOrderId),
        };
        if rate.take() {
            Ok(())
        } else {
            Err(EventRefusal::RateLimited)
        }
    }

    fn refuse(&self, session: &Session, inbound: &Inbound, refusal: EventRefusal) {
        let is_flooded = self.flood.lock().refuse();
        if is_flooded {
            return session.end(EndReason::RateLimited);
        }
        session.refuse_unhandled(inbound, refusal);
    }
}

impl InboundEvents {
    /// Returns the next event. Cancel safe.
    pub(super) async fn recv(&mut self) -> Option<Inbound> {
        let inbound = self.queue.recv().await?;
        let size = size_in_queue(&inbound);
        self.waiting_bytes.fetch_sub(size, Ordering::AcqRel);
        Some(inbound)
    }

    /// Returns the events that wait, in order. No more are taken.
    pub(super) fn into_waiting(mut self) -> impl Iterator<Item = Inbound> {
        self.queue.close();
        std::iter::from_fn(move || self.queue.try_recv().ok())
    }
}

fn size_in_queue(inbound: &Inbound) -> usize {
    inbound.json.len() + EVENT_OVERHEAD
}
