//! The queue of a session's inbound events. The transport's reader offers each event as it comes.
//!
//! An event is refused with `rate_limited` if it is beyond its rate, or if the events that wait
//! have 256 KiB (`Limits::inbound_bytes`). Joins and leaves have a rate of their own: a page may
//! join all of its rooms at once. They are small; a larger one names no order, and is refused for
//! that. The session stays, unless its client [floods](super::flood) it.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::Notify;

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
    queue: Arc<EventQueue>,
    max_waiting_bytes: usize,
}

/// The receiver's end of a session's inbound events.
#[derive(Debug)]
pub(crate) struct InboundEvents(Arc<EventQueue>);

#[derive(Debug, Default)]
struct EventQueue {
    waiting: Mutex<WaitingEvents>,
    added: Notify,
}

/// The events that wait. An idle session has none, and no memory for any.
#[derive(Debug, Default)]
struct WaitingEvents {
    events: VecDeque<Inbound>,
    bytes: usize,
    /// Set once the receiver is gone: nothing more is taken.
    is_closed: bool,
}

impl WaitingEvents {
    fn pop(&mut self) -> Option<Inbound> {
        let event = self.events.pop_front()?;
        self.bytes -= size_in_queue(&event);
        if self.events.is_empty() {
            // Frees the memory: most clients send little.
            self.events = VecDeque::new();
        }
        Some(event)
    }
}

impl InboundQueue {
    /// Creates the queue of one session.
    pub(crate) fn new(limits: &Limits) -> (Self, InboundEvents) {
        let queue = Arc::<EventQueue>::default();
        let events = InboundEvents(Arc::clone(&queue));
        let inbound = Self {
            rate: Rate::new(limits.inbound_burst, limits.inbound_per_s),
            room_rate: Rate::new(limits.room_events_burst, limits.inbound_per_s),
            max_room_event: limits.room_event_bytes,
            flood: Mutex::new(Flood::new(limits)),
            queue,
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
        if let Err((refused, refusal)) = self.push(inbound) {
            return self.refuse(session, &refused, refusal);
        }
        self.queue.added.notify_one();
        session.wake();
    }

    /// Adds the event, or returns it with the reason to refuse it.
    fn push(&self, inbound: Inbound) -> Result<(), (Inbound, EventRefusal)> {
        if let Err(refusal) = self.check_size_and_rate(&inbound) {
            return Err((inbound, refusal));
        }
        let mut waiting = self.queue.waiting.lock();
        let bytes = waiting.bytes.saturating_add(size_in_queue(&inbound));
        // An event that is larger than the queue may wait in it alone.
        if waiting.bytes > 0 && bytes > self.max_waiting_bytes {
            return Err((inbound, EventRefusal::RateLimited));
        }
        // After the end of the session nothing takes it out.
        if !waiting.is_closed {
            waiting.bytes = bytes;
            waiting.events.push_back(inbound);
        }
        Ok(())
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
    pub(super) async fn recv(&self) -> Inbound {
        loop {
            // `added` keeps one permit, so that an event between the two lines is not missed.
            if let Some(event) = self.0.waiting.lock().pop() {
                return event;
            }
            self.0.added.notified().await;
        }
    }

    /// Returns whether no event waits.
    pub(super) fn is_empty(&self) -> bool {
        self.0.waiting.lock().events.is_empty()
    }

    /// Returns the events that wait, in order. No more are taken.
    pub(super) fn into_waiting(self) -> VecDeque<Inbound> {
        self.close()
    }

    fn close(&self) -> VecDeque<Inbound> {
        let mut waiting = self.0.waiting.lock();
        waiting.is_closed = true;
        waiting.bytes = 0;
        std::mem::take(&mut waiting.events)
    }
}

impl Drop for InboundEvents {
    fn drop(&mut self) {
        self.close();
    }
}

fn size_in_queue(inbound: &Inbound) -> usize {
    inbound.json.len() + EVENT_OVERHEAD
}
