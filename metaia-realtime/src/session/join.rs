//! Joins and leaves of order rooms: the rooms named at connect or in `rt:resume`, the rooms stored
//! for a device, and the events `join_order_room` and `leave_order_room`.

use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use tokio::time::Instant;

use super::{EventRefusal, Session, event_names::ClientEvent, retry::retry_while, wire};
use crate::{
    OrderId, Position, Room,
    node::Node,
    planted_faults::{Fault, planted},
    values::InvalidPosition,
};

pub(super) const JOIN: &str = ClientEvent::JoinOrderRoom.code();
pub(super) const LEAVE: &str = ClientEvent::LeaveOrderRoom.code();

/// The times up to which joins before the start wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct JoinDeadlines {
    /// For the user's budget of decisions.
    pub(super) budget: Instant,
    /// For a policy that cannot decide.
    pub(super) decision: Instant,
}

/// Joins before the session continues from a position.
impl Session {
    /// Joins the rooms that the client named. The client is told of each refusal.
    ///
    /// Returns whether access to each of them could be decided in time.
    pub(super) async fn join_requested_orders(
        &self,
        node: &Node,
        orders: Vec<Result<OrderId, String>>,
        deadlines: JoinDeadlines,
    ) -> bool {
        let mut all_decided = true;
        if planted(Fault::RoomsForgotten) {
            return all_decided;
        }
        for order in orders {
            let joined = match &order {
                Ok(order) => self.join_before_start(node, order, deadlines).await,
                Err(_) => Err(EventRefusal::InvalidOrderId),
            };
            if let Err(refusal) = joined {
                all_decided &= refusal.is_decided();
                let text = order.as_ref().map_or_else(String::as_str, OrderId::as_str);
                self.refuse(JOIN, refusal.code(), Some(text), None);
            }
        }
        all_decided
    }

    /// Joins the rooms that are stored for the client's device. The client did not ask for them
    /// now, so it is not told of a refusal.
    ///
    /// Returns the same as [`Self::join_requested_orders`].
    pub(super) async fn join_stored_orders(
        &self,
        node: &Node,
        orders: Vec<OrderId>,
        deadlines: JoinDeadlines,
    ) -> bool {
        let mut all_decided = true;
        for order in orders {
            if let Err(refusal) = self.join_before_start(node, &order, deadlines).await {
                all_decided &= refusal.is_decided();
                tracing::debug!(
                    session = %self.id,
                    %order,
                    code = refusal.code(),
                    "a stored room is not joined again"
                );
            }
        }
        all_decided
    }

    /// Joins a room before the cursor is set: every entry of it after the cursor will be wanted.
    /// Waits for the user's budget, and retries while access cannot be decided.
    async fn join_before_start(
        &self,
        node: &Node,
        order: &OrderId,
        deadlines: JoinDeadlines,
    ) -> Result<(), EventRefusal> {
        if !self.may_join_another_room(node.limits()) {
            return Err(EventRefusal::TooManyRooms);
        }
        let budget = node.decision_budget();
        let user = &self.user;
        if !budget.charge_in_turn(user, deadlines.budget).await {
            return Err(EventRefusal::RateLimited);
        }
        let is_undecided = |joined: &Result<(), _>| *joined == Err(EventRefusal::Unavailable);
        let join =
            || node.admit_to_room(self, order, |session, room| session.state().join(room, 0));
        retry_while(is_undecided, deadlines.decision, join).await
    }
}

/// A room that was joined by an event.
struct JoinedRoom {
    room: Room,
    /// The client's position in the room was honoured.
    recovered: bool,
    /// The number of entries that were replayed.
    replayed: usize,
}

/// The events `join_order_room` and `leave_order_room`.
impl Session {
    pub(super) async fn handle_join(&self, node: &Node, argument: &RawValue, ack: Option<i64>) {
        match self.join(node, argument).await {
            Ok(joined) => {
                let answer = wire::joined(&joined.room, joined.recovered, joined.replayed);
                self.acknowledge(ack, answer);
                node.devices().store_soon(self);
            }
            Err(refusal) => self.refuse_order_event(JOIN, refusal, argument, ack),
        }
        // After the answer: live entries of the room follow it.
        self.state().end_join_pause();
        self.wake();
    }

    /// Joins, and replays the room if the client asked for it. A join with a replay pauses catching
    /// up: the caller answers the client and then ends the pause.
    async fn join(&self, node: &Node, argument: &RawValue) -> Result<JoinedRoom, EventRefusal> {
        let request = JoinRequest::parse(argument)?;
        let room = Room::Order(request.order.clone());
        self.check_room_count(node, &room)?;
        if !node.decision_budget().charge(&self.user) {
            return Err(EventRefusal::RateLimited);
        }
        let Some(since) = request.since else {
            return self.join_without_replay(node, &request.order, room).await;
        };
        node.admit_to_room(self, &request.order, |session, room| {
            session.join_at_cursor(node, room);
        })
        .await?;
        let cursor = self.state().cursor();
        let replayed = match (since, cursor) {
            (Ok(position), Some(upto)) => self.replay_room(node, &room, position, upto).await,
            _ => None,
        };
        // A recheck may have taken the room away while it was replayed.
        let is_in_room = self.state().is_in(&room);
        if !is_in_room {
            return Err(EventRefusal::Forbidden);
        }
        Ok(JoinedRoom {
            room,
            recovered: replayed.is_some(),
            replayed: replayed.unwrap_or(0),
        })
    }

    async fn join_without_replay(
        &self,
        node: &Node,
        order: &OrderId,
        room: Room,
    ) -> Result<JoinedRoom, EventRefusal> {
        // The room is wanted from the head on: the node's head must be the log's.
        node.up_to_date()
            .await
            .map_err(|_| EventRefusal::Unavailable)?;
        node.admit_to_room(self, order, |session, room| {
            session.join_at_head(node, room);
        })
        .await?;
        Ok(JoinedRoom {
            room,
            recovered: false,
            replayed: 0,
        })
    }

    /// Adds the room, for entries after the node's head.
    pub(super) fn join_at_head(&self, node: &Node, room: Room) {
        let mut state = self.state();
        let head = node.window().head().n();
        state.join(room, head);
    }

    /// Adds the room, for entries after the session's cursor, and pauses catching up there. The
    /// room is replayed up to the cursor, and after the pause all rooms continue from it together:
    /// no position that is sent runs ahead of what another room has yet to hand over.
    pub(super) fn join_at_cursor(&self, node: &Node, room: Room) {
        let mut state = self.state();
        let dispatched = node.window().dispatched();
        state.join_at_cursor(room, dispatched.n());
    }

    fn check_room_count(&self, node: &Node, room: &Room) -> Result<(), EventRefusal> {
        let state = self.state();
        let is_full = state.room_count() >= node.limits().rooms_per_session;
        if is_full && !state.is_in(room) {
            Err(EventRefusal::TooManyRooms)
        } else {
            Ok(())
        }
    }

    pub(super) fn handle_leave(&self, node: &Node, argument: &RawValue, ack: Option<i64>) {
        let request = match JoinRequest::parse(argument) {
            Ok(request) => request,
            Err(refusal) => return self.refuse_order_event(LEAVE, refusal, argument, ack),
        };
        let room = Room::Order(request.order);
        if !planted(Fault::LeaveIgnored) {
            node.leave(self, &room);
            self.state().leave(&room);
        }
        self.acknowledge(ack, wire::left(&room));
        node.devices().store_soon(self);
    }

    fn refuse_order_event(
        &self,
        event: &str,
        refusal: EventRefusal,
        argument: &RawValue,
        ack: Option<i64>,
    ) {
        let order = JoinArgument::parse(argument).map(JoinArgument::into_order);
        self.refuse(event, refusal.code(), order.as_deref(), ack);
    }
}

/// The argument of both events: `orderId`, or `{orderId, since}`.
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

    fn into_order(self) -> String {
        match self {
            Self::Bare(order) | Self::Full { order, .. } => order,
        }
    }
}

/// A parsed [`JoinArgument`].
struct JoinRequest {
    order: OrderId,
    /// The position to replay the room from, if it is to be replayed. A malformed one cannot be
    /// honoured.
    since: Option<Result<Position, InvalidPosition>>,
}

impl JoinRequest {
    fn parse(argument: &RawValue) -> Result<Self, EventRefusal> {
        let argument = JoinArgument::parse(argument).ok_or(EventRefusal::InvalidOrderId)?;
        let (order, since) = match argument {
            JoinArgument::Bare(order) => (order, None),
            JoinArgument::Full { order, since } => (order, since),
        };
        Ok(Self {
            order: order.parse().map_err(|_| EventRefusal::InvalidOrderId)?,
            since: since.map(|since| since.as_str().unwrap_or_default().parse()),
        })
    }
}
