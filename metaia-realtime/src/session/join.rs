//! Joins and leaves of order rooms: those asked for at connect, those that a device was in, and those
//! asked for by events.

use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use tokio::time::Instant;

use super::{Refusal, Session, retry::again, wire};
use crate::{OrderId, Position, Room, node::Node, values::InvalidPosition};

impl Session {
    /// Joins the rooms that the client asked for. Answers whether access to each of them could be
    /// decided, which is waited for up to `deadline`.
    pub(super) async fn join_orders(
        &self,
        node: &Node,
        orders: Vec<Result<OrderId, String>>,
        deadline: Instant,
    ) -> bool {
        let mut decided = true;
        for order in orders {
            let joined = match &order {
                Ok(order) => self.join_from_the_start(node, order, deadline).await,
                Err(_) => Err(Refusal::InvalidOrderId),
            };
            if let Err(refusal) = joined {
                decided &= refusal != Refusal::Unavailable;
                let text = order.as_ref().map_or_else(String::as_str, OrderId::as_str);
                self.refuse("join_order_room", refusal.code(), Some(text), None);
            }
        }
        decided
    }

    /// Joins the rooms that the client was in. It did not ask for them now, and is not told of a
    /// refusal. Answers as [`Self::join_orders`].
    pub(super) async fn join_known_orders(
        &self,
        node: &Node,
        orders: Vec<OrderId>,
        deadline: Instant,
    ) -> bool {
        let mut decided = true;
        for order in orders {
            if let Err(refusal) = self.join_from_the_start(node, &order, deadline).await {
                decided &= refusal != Refusal::Unavailable;
                tracing::debug!(session = %self.id, %order, code = refusal.code(), "not joined again");
            }
        }
        decided
    }

    async fn join_from_the_start(
        &self,
        node: &Node,
        order: &OrderId,
        deadline: Instant,
    ) -> Result<(), Refusal> {
        if !self.room_is_free(node.limits()) {
            return Err(Refusal::TooManyRooms);
        }
        let admit = || node.admit(self, order, |session, room| session.state().join(room, 0));
        again(deadline, admit, |joined| {
            *joined == Err(Refusal::Unavailable)
        })
        .await
    }

    pub(super) async fn handle_join(&self, node: &Node, argument: &RawValue, ack: Option<i64>) {
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

    pub(super) fn handle_leave(&self, node: &Node, argument: &RawValue, ack: Option<i64>) {
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
