//! What clients send: taken at once within the rate, queued, handled one at a time and in order.
//!
//! The queue holds a burst. An event beyond the rate, or beyond the queue, is refused with
//! `rate_limited`; when as many again have been refused, the transport is closed.

use std::{collections::VecDeque, num::NonZeroU32, sync::Arc};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use tokio::sync::mpsc;

use super::{ConnectRequest, EndReason, Outgoing, Refusal, Session, start::Start};
use crate::session::{
    wire,
    wire::{ERROR, RESUME},
};
use crate::{Limits, OrderId, Position, Room, node::Node, values::InvalidPosition};

const JOIN_ORDER_ROOM: &str = "join_order_room";
const LEAVE_ORDER_ROOM: &str = "leave_order_room";

/// Events that a session answers itself, beside those whose name begins with `rt:`.
pub(crate) const SESSION_EVENTS: [&str; 2] = [JOIN_ORDER_ROOM, LEAVE_ORDER_ROOM];

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
struct Parsed<'a> {
    name: &'a str,
    argument: &'a RawValue,
}

impl Inbound {
    fn parse(&self) -> Option<Parsed<'_>> {
        let parts: Vec<&RawValue> = serde_json::from_str(&self.json).ok()?;
        let (name, arguments) = parts.split_first()?;
        Some(Parsed {
            name: serde_json::from_str(name.get()).ok()?,
            argument: arguments.first().copied().unwrap_or(RawValue::NULL),
        })
    }

    /// Refuses it, since too much has come before it.
    fn is_too_much(&self, session: &Session) {
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

    fn answer(&self, ack: Option<i64>, answer: Box<RawValue>) {
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
            JOIN_ORDER_ROOM => self.handle_join(&node, event.argument, inbound.ack).await,
            LEAVE_ORDER_ROOM => self.handle_leave(&node, event.argument, inbound.ack),
            RESUME => self.refuse(RESUME, Refusal::NotHeld.code(), None, inbound.ack),
            name => {
                self.handle_custom(&node, name, event.argument, inbound.ack)
                    .await
            }
        }
    }

    async fn handle_join(&self, node: &Node, argument: &RawValue, ack: Option<i64>) {
        let reference = reference(argument);
        match self.join(node, argument).await {
            Ok((room, recovered, replayed)) => {
                self.answer(ack, wire::joined(&room, recovered, replayed));
                node.devices().store_soon(self);
            }
            Err(refusal) => {
                self.refuse("join_order_room", refusal.code(), reference.as_deref(), ack)
            }
        }
        self.state().release();
        self.wake();
    }

    /// Joins, and replays where the client asked for it. From the replay on live entries are held
    /// back, until the caller has answered and releases them.
    async fn join(&self, node: &Node, argument: &RawValue) -> Result<(Room, bool, usize), Refusal> {
        let wish = JoinWish::parse(argument)?;
        let room = Room::Order(wish.order.clone());
        self.check_room_count(node, &room)?;
        let Some(since) = wish.since else {
            node.up_to_date().await.map_err(|_| Refusal::Unavailable)?;
            node.admit(self, &wish.order, |session, room| {
                session.join_from_now(node, room)
            })
            .await?;
            return Ok((room, false, 0));
        };
        node.admit(self, &wish.order, |session, room| {
            session.join_held(node, room)
        })
        .await?;
        let replayed = match since {
            Ok(position) => {
                let upto = self.state().cursor();
                self.replay_room(node, &room, position, upto).await
            }
            Err(_) => None,
        };
        // It may have lost the room again while it was replayed.
        let is_in = self.state().is_in(&room);
        if is_in {
            Ok((room, replayed.is_some(), replayed.unwrap_or(0)))
        } else {
            Err(Refusal::Forbidden)
        }
    }

    pub(super) fn join_from_now(&self, node: &Node, room: Room) {
        let mut state = self.state();
        let head = node.window().head().n();
        state.join(room, head);
    }

    /// Joins from the session's cursor on and rests there: the room is replayed up to it, and from
    /// it on all rooms go on together, so that positions never run ahead of what other rooms have
    /// yet to hand over.
    pub(super) fn join_held(&self, node: &Node, room: Room) {
        let mut state = self.state();
        let dispatched = node.window().dispatched();
        state.hold(dispatched.n());
        let cursor = state.cursor();
        state.join(room, cursor);
    }

    fn check_room_count(&self, node: &Node, room: &Room) -> Result<(), Refusal> {
        let state = self.state();
        let full = state.room_count() >= node.limits().rooms_per_session && !state.is_in(room);
        if full {
            Err(Refusal::TooManyRooms)
        } else {
            Ok(())
        }
    }

    fn handle_leave(&self, node: &Node, argument: &RawValue, ack: Option<i64>) {
        match JoinWish::parse(argument) {
            Ok(wish) => {
                let room = Room::Order(wish.order);
                node.leave(self, &room);
                self.state().leave(&room);
                self.answer(ack, wire::left(&room));
                node.devices().store_soon(self);
            }
            Err(refusal) => {
                self.refuse(
                    "leave_order_room",
                    refusal.code(),
                    reference(argument).as_deref(),
                    ack,
                );
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

/// How many bytes of events may wait while a session is held.
const WAITING_BYTES: usize = 256 * 1024;

/// A session's inbound events, in their order. While it is held, only `rt:resume` is looked at; the
/// others wait here, up to a bound beyond which they are refused.
pub(super) struct Backlog {
    events: mpsc::Receiver<Inbound>,
    waiting: VecDeque<Inbound>,
    /// That have waited.
    bytes: usize,
}

impl Backlog {
    pub(super) fn new(events: mpsc::Receiver<Inbound>) -> Self {
        Self {
            events,
            waiting: VecDeque::new(),
            bytes: 0,
        }
    }

    /// The next event to handle; of a session that is `held`, the next that arrives. Cancel safe.
    pub(super) async fn next(&mut self, held: bool) -> Option<Inbound> {
        match self.waiting.pop_front_if(|_| !held) {
            Some(event) => Some(event),
            None => self.events.recv().await,
        }
    }

    /// Lets a session that is held begin, where the event asks for it; else the event waits until
    /// then.
    pub(super) fn resume(&mut self, session: &Session, start: &mut Start, inbound: Inbound) {
        let event = inbound.parse().filter(|event| event.name == RESUME);
        let Some(event) = event else {
            return self.wait(session, inbound);
        };
        match serde_json::from_str(event.argument.get()) {
            Ok(members @ Value::Object(_)) => {
                start.resume(ConnectRequest::read(&members), inbound.ack)
            }
            _ => session.refuse(RESUME, Refusal::Malformed.code(), None, inbound.ack),
        }
    }

    fn wait(&mut self, session: &Session, inbound: Inbound) {
        let bytes = self.bytes + inbound.json.len();
        if bytes > WAITING_BYTES {
            return inbound.is_too_much(session);
        }
        self.bytes = bytes;
        self.waiting.push_back(inbound);
    }
}

/// What the client said of the order, where it is short text.
fn reference(argument: &RawValue) -> Option<String> {
    JoinArgument::parse(argument).map(|argument| match argument {
        JoinArgument::Bare(order) | JoinArgument::Full { order, .. } => order,
    })
}

/// `orderId`, or `{orderId, since}`.
#[derive(Deserialize)]
#[serde(untagged)]
enum JoinArgument {
    Bare(String),
    Full {
        #[serde(rename = "orderId")]
        order: String,
        #[serde(default)]
        since: Option<Value>,
    },
}

impl JoinArgument {
    fn parse(argument: &RawValue) -> Option<Self> {
        serde_json::from_str(argument.get()).ok()
    }
}

struct JoinWish {
    order: OrderId,
    /// Whether to replay, and from where: what is no position cannot be honoured.
    since: Option<Result<Position, InvalidPosition>>,
}

impl JoinWish {
    fn parse(argument: &RawValue) -> Result<Self, Refusal> {
        let (order, since) = match JoinArgument::parse(argument).ok_or(Refusal::InvalidOrderId)? {
            JoinArgument::Bare(order) => (order, None),
            JoinArgument::Full { order, since } => (order, since),
        };
        Ok(Self {
            order: order.parse().map_err(|_| Refusal::InvalidOrderId)?,
            since: since.map(|since| since.as_str().unwrap_or_default().parse()),
        })
    }
}
