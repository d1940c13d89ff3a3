//! The acknowledgements that a connection owes its callers.

use std::collections::HashMap;

use serde_json::Value;

use super::super::error::SendError;
use super::command::Done;

/// More are not awaited at the same time.
const MAX: usize = 1024;

/// Callers by acknowledgement id. A caller that has stopped waiting is forgotten when room is
/// needed.
#[derive(Debug, Default)]
pub(crate) struct Acks {
    next: u64,
    waiting: HashMap<u64, Done<Value>>,
}

impl Acks {
    /// An id for a new question, or the caller back where too many wait.
    pub(crate) fn register(&mut self, caller: Done<Value>) -> Result<u64, Done<Value>> {
        if self.waiting.len() >= MAX {
            self.waiting.retain(|_, caller| !caller.is_closed());
        }
        if self.waiting.len() >= MAX {
            return Err(caller);
        }
        let id = self.next;
        self.next += 1;
        self.waiting.insert(id, caller);
        Ok(id)
    }

    /// Gives an answer to whom it belongs; an unknown or late one is dropped.
    pub(crate) fn answer(&mut self, id: u64, args: Vec<Value>) {
        if let Some(caller) = self.waiting.remove(&id) {
            let _ = caller.send(Ok(args.into_iter().next().unwrap_or(Value::Null)));
        }
    }

    /// Tells everyone that the connection has ended.
    pub(crate) fn interrupt(&mut self) {
        for (_, caller) in self.waiting.drain() {
            let _ = caller.send(Err(SendError::Interrupted));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::sync::oneshot;

    use super::*;

    #[test]
    fn an_answer_reaches_its_caller_and_a_second_one_nobody() {
        let mut acks = Acks::default();
        let (caller, mut answer) = oneshot::channel();
        let id = acks.register(caller).unwrap();
        acks.answer(id + 1, vec![json!("for nobody")]);
        acks.answer(id, vec![json!("first"), json!("more")]);
        acks.answer(id, vec![json!("again")]);
        assert_eq!(answer.try_recv().unwrap(), Ok(json!("first")));
    }

    #[test]
    fn callers_learn_that_the_connection_ended() {
        let mut acks = Acks::default();
        let (caller, mut answer) = oneshot::channel();
        acks.register(caller).unwrap();
        acks.interrupt();
        assert_eq!(answer.try_recv().unwrap(), Err(SendError::Interrupted));
    }

    #[test]
    fn room_is_made_by_forgetting_who_no_longer_waits() {
        let mut acks = Acks::default();
        let mut callers: Vec<_> = (0..MAX)
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
