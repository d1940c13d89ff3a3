//! The inbound events of a session in order, and `rt:resume`, which goes before all others.

use std::collections::VecDeque;

use serde_json::Value;

use super::{
    ConnectRequest, EventRefusal, Inbound, InboundEvents, Session, parsed_event::ParsedEvent,
    phase::Intake, wire::RESUME,
};

/// The most bytes of events that wait while a session awaits `rt:resume`.
const MAX_WAITING_BYTES: usize = 256 * 1024;

/// A session's inbound events, in order. While the session awaits `rt:resume`, only that event is
/// handled; the others wait here, up to `MAX_WAITING_BYTES`. Beyond that they are refused.
pub(super) struct Backlog {
    events: InboundEvents,
    waiting: VecDeque<Inbound>,
    /// Bytes of all events that have waited.
    bytes: usize,
}

impl Backlog {
    pub(super) fn new(events: InboundEvents) -> Self {
        Self {
            events,
            waiting: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Returns the next event to handle. While only `rt:resume` is taken, returns the next one that
    /// arrives. Cancel safe.
    pub(super) async fn next(&mut self, intake: Intake) -> Inbound {
        if intake == Intake::Everything
            && let Some(event) = self.waiting.pop_front()
        {
            return event;
        }
        self.events.recv().await
    }

    /// Returns whether no event waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.events.is_empty()
    }

    /// Returns the events that wait, in order.
    pub(super) fn into_waiting(mut self) -> VecDeque<Inbound> {
        self.waiting.extend(self.events.into_waiting());
        self.waiting
    }

    /// Takes an event while the session awaits `rt:resume`: applies it if it is that one, otherwise
    /// lets it wait.
    pub(super) fn take_before_resume(&mut self, session: &Session, inbound: Inbound) {
        let ParsedEvent::Plain {
            name: RESUME,
            arguments,
        } = ParsedEvent::read(&inbound.json)
        else {
            return self.wait(session, inbound);
        };
        let members = arguments
            .first()
            .map(|members| serde_json::from_str(members.get()));
        match members {
            Some(Ok(members @ Value::Object(_))) => {
                let request = ConnectRequest::read(&members);
                session.state().apply_resume(request, inbound.ack);
            }
            _ => session.refuse(RESUME, EventRefusal::Malformed.code(), None, inbound.ack),
        }
    }

    fn wait(&mut self, session: &Session, inbound: Inbound) {
        let bytes = self.bytes + inbound.json.len();
        if bytes > MAX_WAITING_BYTES {
            return session.refuse_unhandled(&inbound, EventRefusal::RateLimited);
        }
        self.bytes = bytes;
        self.waiting.push_back(inbound);
    }
}
