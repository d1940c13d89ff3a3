//! The acknowledgements that callers of one connection wait for.

use std::collections::HashMap;

use super::command::CommandResultSender;
use crate::client::{acknowledgement::Acknowledgement, error::SendError};

/// The most acknowledgements that are pending at the same time.
const MAX_PENDING: usize = 1024;

/// The waiting callers by acknowledgement id. At the limit, callers that have stopped waiting are
/// removed.
#[derive(Debug, Default)]
pub(crate) struct PendingAcks {
    next_id: u64,
    waiting: HashMap<u64, CommandResultSender<Acknowledgement>>,
    /// The errors of events that may end the connection by their size.
    too_large: HashMap<u64, SendError>,
}

impl PendingAcks {
    /// Adds a caller and returns its acknowledgement id. Returns the caller itself if the limit is
    /// reached.
    pub(crate) fn register(
        &mut self,
        caller: CommandResultSender<Acknowledgement>,
    ) -> Result<u64, CommandResultSender<Acknowledgement>> {
        if self.waiting.len() >= MAX_PENDING {
            self.waiting.retain(|_, caller| !caller.is_closed());
        }
        if self.waiting.len() >= MAX_PENDING {
            return Err(caller);
        }
        let id = self.next_id;
        self.next_id += 1;
        self.waiting.insert(id, caller);
        Ok(id)
    }

    /// Sets the error of a caller whose connection ends before its acknowledgement comes.
    pub(crate) fn expect_interruption(&mut self, id: u64, error: SendError) {
        self.too_large.retain(|id, _| self.waiting.contains_key(id));
        self.too_large.insert(id, error);
    }

    /// Sends an acknowledgement, or why it was not taken, to its caller. An unknown or late one is
    /// dropped.
    pub(crate) fn answer(&mut self, id: u64, answer: Result<Acknowledgement, SendError>) {
        if let Some(caller) = self.waiting.remove(&id) {
            let _ = caller.send(answer);
        }
    }

    /// Ends the waiting of every caller, since the connection has ended.
    pub(crate) fn interrupt(&mut self) {
        for (id, caller) in self.waiting.drain() {
            let error = self.too_large.remove(&id);
            let _ = caller.send(Err(error.unwrap_or(SendError::Interrupted)));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::sync::oneshot;

    use super::*;

    fn ack(arg: &str) -> Result<Acknowledgement, SendError> {
        Ok(Acknowledgement {
            args: vec![json!(arg)],
            attachments: Vec::new(),
        })
    }

    #[test]
    fn an_answer_reaches_its_caller_and_a_second_one_is_dropped() {
        let mut acks = PendingAcks::default();
        let (caller, mut answer) = oneshot::channel();
        let id = acks.register(caller).unwrap();
        acks.answer(id + 1, ack("unknown id"));
        acks.answer(id, ack("first"));
        acks.answer(id, ack("again"));
        assert_eq!(answer.try_recv().unwrap(), ack("first"));
    }

    #[test]
    fn callers_learn_that_the_connection_ended() {
        let mut acks = PendingAcks::default();
        let (caller, mut answer) = oneshot::channel();
        acks.register(caller).unwrap();
        acks.interrupt();
        assert_eq!(answer.try_recv().unwrap(), Err(SendError::Interrupted));
    }

    #[test]
    fn at_the_limit_callers_that_stopped_waiting_are_removed() {
        let mut acks = PendingAcks::default();
        let mut callers: Vec<_> = (0..MAX_PENDING)
            .map(|_| {
                let (caller, answer) = oneshot::channel();
                acks.register(caller).unwrap();
                answer
            })
            .collect();
        assert!(acks.register(oneshot::channel().0).is_err());
        callers.pop();
        assert!(acks.register(oneshot::channel().0).is_ok());
    }
}
