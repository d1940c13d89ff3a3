//! What clients send: taken at once within the rate, queued, handled one at a time and in order.
//!
//! The queue holds a burst. An event beyond the rate, or beyond the queue, is refused with
//! `rate_limited`; when as many again have been refused, the transport is closed.

use std::{num::NonZeroU32, sync::Arc};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::{EndReason, Outgoing, Refusal, Session};
use crate::session::{
    wire,
    wire::{ERROR, RESUME},
};
use crate::{Limits, node::Node};

/// An event as it came.
#[derive(Debug)]
pub(crate) struct Inbound {
    /// `["name", argument…]`.
    pub(crate) json: String,
    /// Under which number the client wants an answer, if it does.
    pub(crate) ack: Option<i64>,
}

/// The entrance of a session's inbound events.
#[derive(Debug)]
pub(crate) struct InboundQueue {
    rate: DefaultDirectRateLimiter,
    refusals: DefaultDirectRateLimiter,
    queue: mpsc::Sender<Inbound>,
}

impl InboundQueue {
    pub(crate) fn new(limits: &Limits) -> (Self, mpsc::Receiver<Inbound>) {
        let (queue, events) = mpsc::channel(limits.inbound_burst as usize);
        (
            Self {
                rate: limiter(limits),
                refusals: limiter(limits),
                queue,
            },
            events,
        )
    }

    /// Takes the event, or refuses it. Never blocks.
    pub(crate) fn offer(&self, session: &Session, inbound: Inbound) {
        session.touch();
        let taken = self.rate.check().is_ok();
        let Err(inbound) = (if taken {
            self.queue.try_send(inbound)
        } else {
            Err(full(inbound))
        }) else {
            return session.wake();
        };
        if self.refusals.check().is_err() {
            return session.end(EndReason::RateLimited);
        }
        inbound.into_inner().is_too_much(session);
    }
}

fn full(inbound: Inbound) -> mpsc::error::TrySendError<Inbound> {
    mpsc::error::TrySendError::Full(inbound)
}

fn limiter(limits: &Limits) -> DefaultDirectRateLimiter {
    let positive = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
    RateLimiter::direct(
        Quota::per_second(positive(limits.inbound_per_s))
            .allow_burst(positive(limits.inbound_burst)),
    )
}

/// Name and first argument.
pub(super) struct Parsed<'a> {
    pub(super) name: &'a str,
    pub(super) argument: &'a RawValue,
}

impl Inbound {
    pub(super) fn parse(&self) -> Option<Parsed<'_>> {
        let parts: Vec<&RawValue> = serde_json::from_str(&self.json).ok()?;
        let (name, arguments) = parts.split_first()?;
        Some(Parsed {
            name: serde_json::from_str(name.get()).ok()?,
            argument: arguments.first().copied().unwrap_or(RawValue::NULL),
        })
    }

    /// Refuses it, since too much has come before it.
    pub(super) fn is_too_much(&self, session: &Session) {
        let name = self.parse().map(|event| event.name).unwrap_or_default();
        session.refuse(name, Refusal::RateLimited.code(), None, self.ack);
    }
}

impl Session {
    /// Answers a refusal: by the ack where one was asked for, else by `rt:error`.
    pub(crate) fn refuse(
        &self,
        event: &str,
        code: &str,
        reference: Option<&str>,
        ack: Option<i64>,
    ) {
        self.counters.events_refused.add(code);
        tracing::debug!(session = %self.id, user = %self.identity.user, code, "inbound event refused");
        self.push_refusal(match ack {
            Some(id) => Outgoing::Ack {
                id,
                answer: wire::refused(code),
            },
            None => Outgoing::control(ERROR, wire::error(event, code, reference)),
        });
    }

    pub(super) fn answer(&self, ack: Option<i64>, answer: Box<RawValue>) {
        if let Some(id) = ack {
            self.push(Outgoing::Ack { id, answer });
        }
    }

    /// Handles one event to its end. Dropped where the session ends meanwhile.
    pub(super) async fn handle(self: Arc<Self>, node: Arc<Node>, inbound: Inbound) {
        let Some(event) = inbound.parse() else {
            return self.refuse("", Refusal::Malformed.code(), None, inbound.ack);
        };
        match event.name {
            "join_order_room" => self.handle_join(&node, event.argument, inbound.ack).await,
            "leave_order_room" => self.handle_leave(&node, event.argument, inbound.ack),
            RESUME => self.refuse(RESUME, Refusal::NotHeld.code(), None, inbound.ack),
            name => {
                self.handle_custom(&node, name, event.argument, inbound.ack)
                    .await
            }
        }
    }

    async fn handle_custom(&self, node: &Node, name: &str, argument: &RawValue, ack: Option<i64>) {
        let Some(handling) = node.handlers().handle(self, name, argument) else {
            return self.refuse(name, Refusal::UnknownEvent.code(), None, ack);
        };
        match handling.await {
            Ok(answer) => self.answer(ack, answer),
            Err(code) => self.refuse(name, &code, None, ack),
        }
    }
}
