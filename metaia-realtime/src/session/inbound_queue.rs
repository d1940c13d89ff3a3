//! The queue of a session's inbound events. The transport's reader offers each event as it comes.
//!
//! An event is refused with `rate_limited` if it is beyond its rate, or if the events that wait
//! have 256 KiB (`Limits::inbound_bytes`). Joins and leaves have a rate of their own: a page may
//! join all of its rooms at once. They are small; a larger one names no order, and is refused for
//! that. The session stays, unless its client [floods](super::flood) it.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

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
    queue: mpsc::Sender<WaitingEvent>,
    /// One permit for each byte that may wait.
    free_bytes: Arc<Semaphore>,
    max_bytes: u32,
}

/// The receiver's end of a session's inbound events.
#[derive(Debug)]
pub(crate) struct InboundEvents(mpsc::Receiver<WaitingEvent>);

#[derive(Debug)]
struct WaitingEvent {
    inbound: Inbound,
    /// Released when the event leaves the queue.
    _bytes: OwnedSemaphorePermit,
}

impl InboundQueue {
    /// Creates the queue of one session.
    pub(crate) fn new(limits: &Limits) -> (Self, InboundEvents) {
        let max_bytes = u32::try_from(limits.inbound_bytes).unwrap_or(u32::MAX);
        // The channel takes memory only for what is in it. Its events are bounded by their bytes.
        let (queue, events) = mpsc::channel(max_bytes as usize / EVENT_OVERHEAD + 1);
        let inbound = Self {
            rate: Rate::new(limits.inbound_burst, limits.inbound_per_s),
            room_rate: Rate::new(limits.room_events_burst, limits.inbound_per_s),
            max_room_event: limits.room_event_bytes,
            flood: Mutex::new(Flood::new(limits)),
            queue,
            free_bytes: Arc::new(Semaphore::new(max_bytes as usize)),
            max_bytes,
        };
        (inbound, InboundEvents(events))
    }

    /// Queues the event, or refuses it. Ends the session if its client floods it. Never blocks.
    pub(crate) fn offer(&self, session: &Session, inbound: Inbound) {
        // A client that was told that its session ends is answered nothing after that.
        if session.ended_by().is_some() {
            return;
        }
        session.touch();
        match self.admit(&inbound) {
            Ok(bytes) => {
                let event = WaitingEvent {
                    inbound,
                    _bytes: bytes,
                };
                // This fails only if the session's task has ended.
                self.queue.try_send(event).ok();
                session.wake();
            }
            Err(refusal) => self.refuse(session, &inbound, refusal),
        }
    }

    /// Returns the bytes that the event may take in the queue.
    fn admit(&self, inbound: &Inbound) -> Result<OwnedSemaphorePermit, EventRefusal> {
        self.check_size_and_rate(inbound)?;
        let size = u32::try_from(inbound.json.len() + EVENT_OVERHEAD).unwrap_or(u32::MAX);
        let free_bytes = Arc::clone(&self.free_bytes);
        // An event that is larger than the queue may wait in it alone.
        free_bytes
            .try_acquire_many_owned(size.min(self.max_bytes))
            .map_err(|_| EventRefusal::RateLimited)
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
        let event = self.0.recv().await?;
        Some(event.inbound)
    }
}
