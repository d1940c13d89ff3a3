//! Where a session begins: after the position that its client shows, or where the client is known
//! to have been, or at the end of the log.

use std::time::Duration;

use tokio::time::Instant;

use super::{EndReason, Outgoing, Refusal, Session, Start, start::ConnectRequest};
use crate::session::{wire, wire::RESET};
use crate::{
    OrderId, Position, Room,
    device::{ClientProgress, SignOfLife},
    log::{LogError, ResetReason, Resumable, judge},
    node::Node,
};

/// While the log cannot be read a session waits so long; then its transport is closed, and the
/// client comes back.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(250);

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

    /// Joins the rooms that the client asked for. Answers whether access to each of them could be
    /// decided, which is waited for up to `deadline`.
    async fn join_orders(
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
    async fn join_known_orders(
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

    /// Where the client stands, for when it comes back. One that says goodbye has got all that was
    /// written.
    pub(crate) fn standing(&self) -> ClientProgress {
        let mut state = self.state();
        let pongs = self.settle(&mut state);
        let left = self.ended_by() == Some(EndReason::ClientLeft);
        let position = if left {
            state.confirmed().written()
        } else {
            state.confirmed().at()
        };
        let orders = state.rooms().filter_map(Room::order).cloned().collect();
        ClientProgress {
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

/// Tries again while the log cannot be read, but not for ever.
pub(super) async fn patiently<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, LogError>
where
    F: Future<Output = Result<T, LogError>>,
{
    let deadline = Instant::now() + PATIENCE;
    let in_time = || {
        let attempt = tokio::time::timeout_at(deadline, attempt());
        async {
            attempt
                .await
                .unwrap_or_else(|late| Err(LogError::Unavailable(late.into())))
        }
    };
    again(deadline, in_time, Result::is_err).await
}

/// Tries again what `may_mend` by itself, until there is no time left for another pause. Answers
/// the last outcome.
async fn again<T, F: Future<Output = T>>(
    deadline: Instant,
    mut attempt: impl FnMut() -> F,
    may_mend: impl Fn(&T) -> bool,
) -> T {
    loop {
        let outcome = attempt().await;
        if !may_mend(&outcome) || Instant::now() + PAUSE >= deadline {
            return outcome;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn unavailable<T>() -> Result<T, LogError> {
        Err(LogError::Unavailable("gone".into()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_that_comes_back_in_time_was_worth_waiting_for() {
        let begun = Instant::now();
        let attempt = || async move {
            if begun.elapsed() < PATIENCE / 2 {
                unavailable()
            } else {
                Ok(7)
            }
        };
        assert_eq!(patiently(attempt).await.unwrap(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_that_stays_away_is_not_waited_for_for_ever() {
        let (begun, attempts) = (Instant::now(), Cell::new(0));
        let attempt = || {
            attempts.set(attempts.get() + 1);
            std::future::ready(unavailable::<()>())
        };
        assert!(patiently(attempt).await.is_err());
        assert!((PATIENCE / 2..=PATIENCE).contains(&begun.elapsed()) && attempts.get() < 50);
        assert!(
            patiently(std::future::pending::<Result<(), _>>)
                .await
                .is_err()
        );
    }
}
