//! Where a session resumes: after the position that its client shows, or where the client is known
//! to have been, or at the end of the log.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    EndReason, Outgoing, Session, Start,
    request::ConnectRequest,
    retry::{PATIENCE, patiently},
};
use crate::session::{wire, wire::RESET};
use crate::{
    OrderId, Position, Room,
    device::{SignOfLife, Standing},
    log::{LogError, ResetReason, Resumable, judge},
    node::Node,
};

/// The most entries that are replayed to a client that shows no position of its own.
const DEVICE_ENTRIES: usize = 1_000;

/// Where to go on, and how much of it at most.
struct Place {
    since: Result<Position, ResetReason>,
    limit: usize,
}

impl Session {
    /// Joins the rooms that the client asked for, so that one position serves them all, and sets
    /// the cursor. What the log had by then is dispatched before anything is handed over, so that
    /// `rt:ready` is never behind what the client has seen elsewhere. `false`: the session has
    /// ended.
    pub(super) async fn begin(&self, node: &Node, start: &mut Start) -> bool {
        match self
            .try_begin(node, std::mem::take(&mut start.wish), start.came_at)
            .await
        {
            Ok(recovered) => {
                (start.recovered, start.begun) = (recovered, true);
                true
            }
            Err(error) => {
                self.end_unread(&error);
                false
            }
        }
    }

    async fn try_begin(
        &self,
        node: &Node,
        wish: ConnectRequest,
        came_at: Option<Position>,
    ) -> Result<bool, LogError> {
        // Where nothing is resumed nothing can be missed, and an undecided room is simply refused.
        let patience = if wish.since.is_some() {
            PATIENCE
        } else {
            Duration::ZERO
        };
        let decided = self
            .join_orders(node, wish.orders, Instant::now() + patience)
            .await;
        let known = patiently(|| self.known(node)).await?;
        if self.ended_by().is_some() {
            node.devices().end(self, node.epoch());
        }
        let limit = node.limits().replay_entries;
        let place = match (wish.since, known) {
            (Some(since), _) => Some(Place {
                since: since.and_then(|at| resumable(at, decided)),
                limit,
            }),
            (None, Some((position, orders))) => {
                let decided = self
                    .join_known_orders(node, orders, Instant::now() + PATIENCE)
                    .await;
                Some(Place {
                    since: resumable(position, decided),
                    limit: limit.min(DEVICE_ENTRIES),
                })
            }
            (None, None) => None,
        };
        patiently(|| node.up_to_date()).await?;
        let begun = match place {
            Some(Place {
                since: Ok(position),
                limit,
            }) => Some(
                patiently(|| self.judge(node, position, limit))
                    .await?
                    .map(|_| position),
            ),
            Some(Place {
                since: Err(reason), ..
            }) => Some(Err(reason)),
            None => None,
        };
        Ok(self.go_on(node, begun, came_at))
    }

    /// Where the client was, and in which order rooms. Its other connections say first where they
    /// stand now.
    async fn known(&self, node: &Node) -> Result<Option<(Position, Vec<OrderId>)>, LogError> {
        if self.device_key.is_some() {
            let others = node.registry().of_user(&self.identity.user);
            let same = others
                .iter()
                .filter(|other| other.device_key == self.device_key);
            same.for_each(|other| node.devices().stands(other));
        }
        node.devices().connect(self, node.epoch()).await
    }

    /// Sets the cursor. Answers whether a position was honoured.
    pub(super) fn go_on(
        &self,
        node: &Node,
        begun: Option<Result<Position, ResetReason>>,
        came_at: Option<Position>,
    ) -> bool {
        let recovered = matches!(begun, Some(Ok(_)));
        match begun {
            Some(Ok(position)) => self.state().begin(position),
            Some(Err(reason)) => self.reset(node, reason),
            None => {
                let mut state = self.state();
                let head = node.window().head();
                state.begin(
                    came_at
                        .filter(|at| at.epoch() == head.epoch())
                        .unwrap_or(head),
                );
            }
        }
        node.devices().store_soon(self);
        recovered
    }

    /// Whether nothing is missing after `position`, and there is not too much of it: by the window
    /// where that reaches.
    pub(super) async fn judge(
        &self,
        node: &Node,
        position: Position,
        limit: usize,
    ) -> Result<Result<Resumable, ResetReason>, LogError> {
        let rooms: Vec<Room> = self.rooms().into_iter().collect();
        let judged = node.window().recent().judge(position, rooms.iter(), limit);
        let judged = match judged {
            Some(judged) => judged,
            None if !node.replay_budget().afford_look(&self.identity.user) => {
                Err(ResetReason::TooOld)
            }
            None => judge(
                position,
                node.log().history(position.n(), &rooms, limit + 1).await?,
                limit,
            ),
        };
        let afford = |resumable: &Resumable| {
            node.replay_budget()
                .afford(&self.identity.user, resumable.missed)
        };
        Ok(judged.and_then(|resumable| {
            if afford(&resumable) {
                Ok(resumable)
            } else {
                Err(ResetReason::TooOld)
            }
        }))
    }

    /// Tells the client to reload, and goes on from the head.
    pub(super) fn reset(&self, node: &Node, reason: ResetReason) {
        let mut state = self.state();
        let head = node.window().head();
        state.reset(
            head,
            Outgoing::at(RESET, wire::reset(reason.code(), head), head),
        );
        self.counters.resets.add(reason.code());
        tracing::info!(session = %self.id, reason = reason.code(), "the client is to reload");
    }

    pub(super) fn end_unread(&self, error: &LogError) {
        tracing::warn!(session = %self.id, error = error as &dyn std::error::Error, "the log cannot be read");
        self.end(EndReason::Unavailable);
    }

    /// Where the client stands, for when it comes back. One that says goodbye has got all that was
    /// written.
    pub(crate) fn standing(&self) -> Standing {
        let mut state = self.state();
        let pongs = self.settle(&mut state);
        let left = self.ended_by() == Some(EndReason::ClientLeft);
        let position = if left {
            state.confirmed().written()
        } else {
            state.confirmed().at()
        };
        let orders = state.rooms().filter_map(Room::order).cloned().collect();
        Standing {
            position,
            orders,
            sign: SignOfLife(pongs, self.active_at()),
        }
    }
}

/// Where a client goes on whose rooms were all `decided` on: else nobody can say what it has
/// missed.
fn resumable(position: Position, decided: bool) -> Result<Position, ResetReason> {
    if decided {
        Ok(position)
    } else {
        Err(ResetReason::TooOld)
    }
}
