//! The inbound events of a session, in order, while it waits for `rt:resume` and after that.

use std::collections::VecDeque;

use serde_json::Value;
use tokio::sync::mpsc;

use super::{ConnectRequest, Inbound, Refusal, Session, start::Start, wire::RESUME};

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
