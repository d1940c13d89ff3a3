//! The start of a session: after the position that its client shows, after the position that is
//! stored for its device, or, if there is none, at the head of the log.
//!
//! A position is honoured if nothing is missing after it and there is not too much to replay;
//! otherwise the client is told to reload (`rt:reset`) and continues from the head.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    EndReason, Outgoing, Session,
    join::JoinDeadlines,
    request::ConnectRequest,
    retry::{retry_devices, retry_log},
    wire::{self, RESET},
};
use crate::{
    OrderId, Position, Room,
    device::{ClientProgress, DeviceError},
    log::{LogError, ResetReason, Resumable, ResumeFacts, judge},
    node::Node,
    planted_faults::{Fault, planted},
};

/// The time for which a resume waits for the access to the client's order rooms to be decided.
const ACCESS_TIMEOUT: Duration = Duration::from_secs(10);

/// The most entries that are replayed to a client that shows no position of its own.
const MAX_DEVICE_REPLAY: usize = 1_000;

/// A position that a client wants to resume from, before it is judged.
struct ResumeRequest {
    since: Result<Position, ResetReason>,
    /// The most entries to replay.
    limit: usize,
}

/// The record of the device of a client that connects.
struct Claimed {
    /// Its position and its order rooms.
    found: Option<(Position, Vec<OrderId>)>,
    /// False if the store has nothing of it yet.
    is_stored: bool,
}

/// Error of a session that does not know where it continues.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Devices(#[from] DeviceError),
}

/// The position from which a session continues.
#[derive(Debug, Clone, Copy)]
pub(super) enum StartPoint {
    /// After a position that was honoured.
    Resumed(Position),
    /// From the head of the log, since the client's position was not honoured.
    Reset(ResetReason),
    /// From the head of the log, since the client has no position.
    Head,
}

impl Session {
    /// Joins the order rooms that the client asked for, so that one position serves them all, and
    /// sets the cursor. Everything that the log had by then is dispatched before anything is handed
    /// over, so that `rt:ready` is never behind what the client has seen elsewhere.
    ///
    /// # Errors
    /// Returns the error of the log, or of the store of devices, if it could not be read in time.
    pub(super) async fn resume_or_start(
        &self,
        node: &Node,
        request: ConnectRequest,
    ) -> Result<(), StartError> {
        let ConnectRequest { since, orders } = request;
        let relies_on_store = since.is_none();
        let deadlines = join_deadlines(since.as_ref());
        let all_decided = self.join_requested_orders(node, orders, deadlines).await;
        // Also if the client shows a position: the connection takes over the device's record.
        let Claimed { found, is_stored } = self.claim_device(node).await?;
        let resume = match since {
            Some(since) => Some(ResumeRequest {
                since: since.and_then(|position| resume_position(position, all_decided)),
                limit: node.limits().replay_entries,
            }),
            None => self.join_and_resume_by_record(node, found).await,
        };
        let point = self.find_start_point(node, resume).await?;
        self.start_from(node, point);
        if relies_on_store && !is_stored {
            // Before `rt:ready`: from then on the client may rely on what the store has of it.
            retry_devices(|| node.devices().wait_until_stored()).await?;
        }
        Ok(())
    }

    async fn find_start_point(
        &self,
        node: &Node,
        resume: Option<ResumeRequest>,
    ) -> Result<StartPoint, StartError> {
        retry_log(|| node.up_to_date()).await?;
        let Some(ResumeRequest { since, limit }) = resume else {
            return Ok(StartPoint::Head);
        };
        let position = match since {
            Ok(position) => position,
            Err(reason) => return Ok(StartPoint::Reset(reason)),
        };
        match retry_log(|| self.judge_resume(node, position, limit)).await? {
            Ok(_) => Ok(StartPoint::Resumed(position)),
            Err(reason) => Ok(StartPoint::Reset(reason)),
        }
    }

    /// Joins the order rooms of the record of the client's device, and returns the request to
    /// resume from its position; `None` if there is no record.
    async fn join_and_resume_by_record(
        &self,
        node: &Node,
        record: Option<(Position, Vec<OrderId>)>,
    ) -> Option<ResumeRequest> {
        let (position, orders) = record?;
        let all_decided = self.join_orders_of_record(node, orders).await;
        Some(ResumeRequest {
            since: resume_position(position, all_decided),
            limit: node.limits().replay_entries.min(MAX_DEVICE_REPLAY),
        })
    }

    /// Joins the order rooms of a device's record. Returns whether all access was decided.
    async fn join_orders_of_record(&self, node: &Node, orders: Vec<OrderId>) -> bool {
        let deadline = Instant::now() + ACCESS_TIMEOUT;
        let deadlines = JoinDeadlines {
            budget: deadline,
            decision: deadline,
        };
        self.join_stored_orders(node, orders, deadlines).await
    }

    /// Returns the position that is known of the client's device, and its order rooms. From here on
    /// this connection keeps them.
    async fn claim_device(&self, node: &Node) -> Result<Claimed, DeviceError> {
        // Only the store is asked again if it fails. What changes on this node follows once.
        let not_stored = Claimed {
            found: None,
            is_stored: true,
        };
        let identity = self.identity();
        let Some(key) = &identity.device_key else {
            return Ok(not_stored);
        };
        let claim = retry_devices(|| node.devices().claim(self, key)).await?;
        let Some(claim) = claim else {
            return Ok(not_stored);
        };
        // First: what the device's other connections have received by now counts, too.
        self.update_other_connections(node);
        let is_stored = claim.has_stored_records();
        let found = claim.connect().filter(|_| !planted(Fault::DeviceForgotten));
        // A session that ended before it was in the ledger had nothing to give back then.
        if self.ended_by().is_some() {
            node.devices().end(self);
        }
        Ok(Claimed { found, is_stored })
    }

    /// Records what the other connections of the client's device have received, and their last
    /// signs of life.
    pub(crate) fn update_other_connections(&self, node: &Node) {
        let identity = self.identity();
        if identity.device_key.is_none() {
            return;
        }
        for other in node.registry().of_user(&self.user) {
            if other.identity().device_key == identity.device_key {
                node.devices().update(&other);
            }
        }
    }

    /// Sets the cursor.
    pub(super) fn start_from(&self, node: &Node, point: StartPoint) {
        match point {
            StartPoint::Resumed(position) => self.state().resume_after(position),
            StartPoint::Reset(reason) => self.reset(node, reason),
            StartPoint::Head => {
                let mut state = self.state();
                let head = node.window().head();
                state.start_at_head(head);
            }
        }
        node.devices().store_soon(self);
    }

    /// Judges whether the client can resume from `position`: nothing is missing after it, and at
    /// most `limit` entries follow. Charges the replay to the user's budget.
    pub(super) async fn judge_resume(
        &self,
        node: &Node,
        position: Position,
        limit: usize,
    ) -> Result<Result<Resumable, ResetReason>, LogError> {
        let Some(facts) = self.resume_facts(node, position, limit + 1).await? else {
            return Ok(Err(ResetReason::TooOld));
        };
        let judged = judge(position, facts, limit);
        Ok(judged.and_then(|resumable| {
            let user = &self.user;
            if node.replay_budget().charge(user, resumable.missed) {
                Ok(resumable)
            } else {
                Err(ResetReason::TooOld)
            }
        }))
    }

    /// Returns the facts about `position`, with the missed entries counted up to `limit`. The
    /// window has them if it reaches back, otherwise one read of the log does, which is charged to
    /// the user's replay budget. Returns `None` if the budget is used up.
    async fn resume_facts(
        &self,
        node: &Node,
        position: Position,
        limit: usize,
    ) -> Result<Option<ResumeFacts>, LogError> {
        let rooms: Vec<Room> = self.rooms().into_iter().collect();
        let by_window = node.window().recent().facts(position, rooms.iter(), limit);
        if by_window.is_some() {
            return Ok(by_window);
        }
        if !node.replay_budget().charge_read(&self.user) {
            return Ok(None);
        }
        let n = position.n();
        let history = node.log().history(n, &rooms, limit).await?;
        if n > node.window().head().n() {
            // The node may have been behind: `rt:ready` must not be behind the client.
            node.up_to_date().await?;
        }
        Ok(Some(ResumeFacts::from_history(n, history)))
    }

    /// Tells the client to reload, and moves the cursor to the head.
    pub(super) fn reset(&self, node: &Node, reason: ResetReason) {
        let mut state = self.state();
        let head = node.window().head();
        let notice = Outgoing::control_at(RESET, wire::reset(reason.code(), head), head);
        if !state.reset(head, notice) {
            return;
        }
        self.counters.resets.add(reason);
        tracing::info!(
            session = %self.id,
            reason = reason.code(),
            "the client is told to reload"
        );
    }

    /// Ends the session, since the log or the store of devices could not be read in time.
    pub(super) fn end_as_unavailable(&self, error: &(dyn std::error::Error + 'static)) {
        tracing::warn!(session = %self.id, error, "the session cannot start or catch up");
        self.end(EndReason::Unavailable);
    }

    /// Returns the progress of the client, which is stored so that the client can resume when it
    /// reconnects. A client that has sent DISCONNECT has received everything that was written.
    pub(crate) fn client_progress(&self) -> ClientProgress {
        let mut state = self.state();
        self.apply_progress(&mut state);
        let position = if self.ended_by() == Some(EndReason::ClientLeft) {
            state.outbox().confirmed().written()
        } else {
            state.outbox().confirmed().received()
        };
        let orders = state.rooms().filter_map(Room::order).cloned().collect();
        ClientProgress {
            position,
            orders,
            sign: self.sign_of_life(),
        }
    }
}

/// Returns the deadlines for the order rooms that a client asks for when it connects. A client that
/// shows no position can miss nothing: a room whose access cannot be decided is refused at once.
fn join_deadlines(since: Option<&Result<Position, ResetReason>>) -> JoinDeadlines {
    let began = Instant::now();
    let budget = began + ACCESS_TIMEOUT;
    let decision = if since.is_some() { budget } else { began };
    JoinDeadlines { budget, decision }
}

/// Returns `position` if access to all of the client's rooms was decided. Otherwise the client has
/// to reload, since it is unknown which entries it missed.
fn resume_position(position: Position, all_decided: bool) -> Result<Position, ResetReason> {
    if all_decided {
        Ok(position)
    } else {
        Err(ResetReason::TooOld)
    }
}
