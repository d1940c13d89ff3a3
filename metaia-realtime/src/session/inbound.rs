//! What clients send: events are taken within a rate, queued, and handled one at a time in order.
//!
//! The queue holds a burst. An event beyond the rate, or beyond the queue, is refused with
//! `rate_limited`. Refusals have the same rate and burst: when that is used up, too, the transport
//! is closed.

use std::sync::Arc;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde_json::value::RawValue;
use tokio::sync::mpsc::{self, error::TrySendError};

use super::{
    EndReason, EventRefusal, Outgoing, Session,
    join::{JOIN, LEAVE},
    parsed_event::ParsedEvent,
    wire::{self, ERROR, RESUME},
};
use crate::{Limits, node::Node, values::at_least_one};

/// Events that a session answers itself, beside those whose name begins with `rt:`.
pub(crate) const SESSION_EVENTS: [&str; 2] = [JOIN, LEAVE];

/// An event as it arrived.
#[derive(Debug)]
pub(crate) struct Inbound {
    /// `["name", argument…]`.
    pub(crate) json: String,
    /// The id under which the client wants an answer, if it does.
    pub(crate) ack: Option<i64>,
}

/// The sender's end of a session's inbound events, with the rate limits.
#[derive(Debug)]
pub(crate) struct InboundQueue {
    rate: DefaultDirectRateLimiter,
    refusals: DefaultDirectRateLimiter,
    queue: mpsc::Sender<Inbound>,
}

impl InboundQueue {
    pub(crate) fn new(limits: &Limits) -> (Self, mpsc::Receiver<Inbound>) {
        let (queue, events) = mpsc::channel(limits.inbound_burst as usize);
        let inbound = Self {
            rate: limiter(limits),
            refusals: limiter(limits),
            queue,
        };
        (inbound, events)
    }

    /// Queues the event, or refuses it. Ends the session if too many were refused. Never blocks.
    pub(crate) fn offer(&self, session: &Session, inbound: Inbound) {
        session.touch();
        let refused = if self.rate.check().is_err() {
            Some(inbound)
        } else {
            let sent = self.queue.try_send(inbound);
            sent.err().map(TrySendError::into_inner)
        };
        let Some(refused) = refused else {
            return session.wake();
        };
        if self.refusals.check().is_err() {
            return session.end(EndReason::RateLimited);
        }
        refused.refuse_as_rate_limited(session);
    }
}

fn limiter(limits: &Limits) -> DefaultDirectRateLimiter {
    let rate = Quota::per_second(at_least_one(limits.inbound_per_s));
    RateLimiter::direct(rate.allow_burst(at_least_one(limits.inbound_burst)))
}

impl Inbound {
    /// Refuses the event with `rate_limited`.
    pub(super) fn refuse_as_rate_limited(&self, session: &Session) {
        let label = ParsedEvent::read(&self.json).label();
        session.refuse(&label, EventRefusal::RateLimited.code(), None, self.ack);
    }
}

impl Session {
    /// Sends a refusal: as the ack if the client asked for one, otherwise as `rt:error`.
    pub(super) fn refuse(
        &self,
        event: &str,
        code: &str,
        reference: Option<&str>,
        ack: Option<i64>,
    ) {
        self.counters.events_refused.add(code);
        tracing::debug!(
            session = %self.id,
            user = %self.identity.user,
            code,
            "inbound event refused"
        );
        let refusal = match ack {
            Some(id) => Outgoing::Ack {
                id,
                answer: wire::refused(code),
            },
            None => Outgoing::control(ERROR, wire::error(event, code, reference)),
        };
        self.push_refusal(refusal);
    }

    /// Sends the ack if the client asked for one.
    pub(super) fn acknowledge(&self, ack: Option<i64>, answer: Box<RawValue>) {
        if let Some(id) = ack {
            self.push(Outgoing::Ack { id, answer });
        }
    }

    /// Handles one event to its end. The session's task drops the future if the session ends
    /// meanwhile.
    pub(super) async fn handle(self: Arc<Self>, node: Arc<Node>, inbound: Inbound) {
        let ack = inbound.ack;
        let event = ParsedEvent::read(&inbound.json);
        let (name, arguments) = match &event {
            ParsedEvent::Plain { name, arguments } => (*name, arguments),
            other => return self.refuse_odd(&node, other, ack),
        };
        let argument = arguments.first().copied().unwrap_or(RawValue::NULL);
        match name {
            JOIN => self.handle_join(&node, argument, ack).await,
            LEAVE => self.handle_leave(&node, argument, ack),
            // The backlog handles one that comes in time.
            RESUME => self.refuse(RESUME, EventRefusal::NotAwaitingResume.code(), None, ack),
            name if arguments.len() > 1 && node.handlers().has(name) => {
                self.refuse(name, EventRefusal::Malformed.code(), None, ack);
            }
            name => self.handle_custom(&node, name, argument, ack).await,
        }
    }

    /// Refuses an event that no handler can take.
    fn refuse_odd(&self, node: &Node, event: &ParsedEvent<'_>, ack: Option<i64>) {
        let refusal = match event {
            ParsedEvent::Binary { name } if is_known(node, name) => EventRefusal::Malformed,
            ParsedEvent::Malformed => EventRefusal::Malformed,
            _ => EventRefusal::UnknownEvent,
        };
        self.refuse(&event.label(), refusal.code(), None, ack);
    }

    /// Passes the event to the embedder's handler.
    async fn handle_custom(&self, node: &Node, name: &str, argument: &RawValue, ack: Option<i64>) {
        let Some(handling) = node.handlers().handle(self, name, argument) else {
            return self.refuse(name, EventRefusal::UnknownEvent.code(), None, ack);
        };
        match handling.await {
            Ok(answer) => self.acknowledge(ack, answer),
            Err(code) => self.refuse(name, &code, None, ack),
        }
    }
}

/// Returns whether the session or a handler knows an event of this name.
fn is_known(node: &Node, name: &str) -> bool {
    SESSION_EVENTS.contains(&name) || name == RESUME || node.handlers().has(name)
}
