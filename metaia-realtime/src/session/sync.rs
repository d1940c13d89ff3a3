//! `rt:sync`: the client asks for a [fence](super::fences).
//!
//! The request is handled in its turn, as every inbound event is, and so it covers a room whose
//! join the client sent before. The answer does not keep later events waiting: the session's task
//! reads the head of the log beside its other work.

use std::sync::Arc;

use serde_json::{Value, value::RawValue};
use tokio::time::{Instant, timeout_at};

use super::{
    EventRefusal, Outgoing, Session,
    fences::{FenceId, FenceToRead, ReachedFence},
    retry::retry_log,
    wire::{self, SYNC},
};
use crate::{Position, log::LogError, node::Node};

impl Session {
    /// Adds a fence, or refuses the request.
    pub(super) fn handle_sync(&self, argument: &RawValue, ack: Option<i64>) {
        if let Err(refusal) = self.request_fence(argument, ack) {
            self.refuse(SYNC, refusal.code(), None, ack);
        }
    }

    fn request_fence(&self, argument: &RawValue, ack: Option<i64>) -> Result<(), EventRefusal> {
        // Without an ack there is no answer to wait for.
        let ack = ack.ok_or(EventRefusal::Malformed)?;
        if !is_empty(argument) {
            return Err(EventRefusal::Malformed);
        }
        let requested = self.state().request_fence(ack, Instant::now());
        requested.map_err(|_| EventRefusal::RateLimited)
    }

    /// Reads the head of the log for a fence, and waits until the node has dispatched it. Gives up
    /// when the fence's time is up.
    pub(super) async fn read_fence_head(self: Arc<Self>, node: Arc<Node>, fence: FenceToRead) {
        let reading = self.find_fence_head(&node, fence.id);
        // The fence is refused at its deadline in any case, also after an error of the log.
        if let Ok(Err(error)) = timeout_at(fence.deadline, reading).await {
            let error: &dyn std::error::Error = &error;
            tracing::debug!(session = %self.id, error, "the head of the log cannot be read");
        }
    }

    async fn find_fence_head(&self, node: &Node, fence: FenceId) -> Result<(), LogError> {
        loop {
            let epoch = node.window().dispatched().epoch();
            let head = retry_log(|| node.read_head()).await?;
            node.window()
                .wait_until_dispatched_or_replaced(head, epoch)
                .await;
            if self.set_fence_head(node, fence, head) {
                return Ok(());
            }
        }
    }

    /// Records that the fence covers the log up to `head`. Returns `false` if the node's window is
    /// not of the epoch of `head`: the log has a new one, and its head is to be read again.
    pub(super) fn set_fence_head(&self, node: &Node, fence: FenceId, head: Position) -> bool {
        // Under both locks: the session is offered nothing, and is not reset, in between.
        let mut state = self.state();
        let dispatched = node.window().dispatched();
        let is_dispatched = dispatched.epoch() == head.epoch() && dispatched.n() >= head.n();
        if is_dispatched {
            state.set_fence_head(fence, head);
        }
        is_dispatched
    }

    /// Queues the answers of the fences that the session has reached: they follow everything that
    /// it was handed over. Refuses the fences whose time is up. Returns when the next one is to be
    /// refused.
    pub(super) fn answer_fences(&self) -> Option<Instant> {
        let mut state = self.state();
        state.next_fence_deadline()?;
        let resets = state.resets();
        for ReachedFence { ack, rooms, at } in state.take_reached_fences() {
            let answer = wire::synced(at, rooms, resets);
            state.outbox_mut().push(Outgoing::Ack { id: ack, answer });
        }
        let expired = state.take_expired_fences(Instant::now());
        let next_deadline = state.next_fence_deadline();
        drop(state);
        for ack in expired {
            self.refuse_fence(ack);
        }
        next_deadline
    }

    fn refuse_fence(&self, ack: i64) {
        let code = EventRefusal::Unavailable.code();
        self.record_refusal(code);
        // Not as other refusals are, which a client that does not read may lose: each fence is
        // answered, and there are few of them.
        self.push(Outgoing::refusal(SYNC, code, None, Some(ack)));
    }
}

/// Returns whether the argument is absent, `null` or `{}`. An option that a later version may have
/// is refused: an answer must not promise less than the client asks for.
fn is_empty(argument: &RawValue) -> bool {
    match serde_json::from_str(argument.get()) {
        Ok(Value::Null) => true,
        Ok(Value::Object(members)) => members.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(argument: &str, expected: bool) {
        let argument = RawValue::from_string(argument.to_owned()).unwrap();
        assert_eq!(is_empty(&argument), expected, "{argument}");
    }

    #[test]
    fn the_argument_is_absent_or_an_empty_object() {
        check("null", true);
        check("{}", true);
        check(" { } ", true);
        for argument in ["[]", "[null]", "0", "false", r#""""#, r#"{"since":"x"}"#] {
            check(argument, false);
        }
    }
}
