//! Inbound events: what clients send, handled one at a time in order. They wait in the
//! [queue](super::inbound_queue) before.

use std::{borrow::Cow, sync::Arc};

use serde_json::value::RawValue;

use super::{
    EventRefusal, Outgoing, Session,
    event_names::ClientEvent,
    join::{JOIN, LEAVE},
    outbox::Unhandled,
    parsed_event::ParsedEvent,
    wire,
};
use crate::node::Node;

/// Events that a session answers itself, beside those whose name begins with `rt:`.
pub(crate) const SESSION_EVENTS: [&str; 2] = [JOIN, LEAVE];

/// An event as it arrived.
#[derive(Debug)]
pub(crate) struct Inbound {
    /// `["name", argument…]`.
    pub(crate) json: String,
    /// The id under which the client wants an answer, if it does.
    pub(crate) ack: Option<i64>,
}

impl Inbound {
    /// Returns the size of the arguments of a join or a leave, in bytes; `None` for another event.
    /// The text is not parsed: this is asked for every event, before its rate is checked.
    pub(super) fn room_event_size(&self) -> Option<usize> {
        let name_on = self.json.trim_start().strip_prefix('[')?.trim_start();
        let name_on = name_on.strip_prefix('"')?;
        let behind = |name| name_on.strip_prefix(name)?.strip_prefix('"');
        let arguments = behind(JOIN).or_else(|| behind(LEAVE))?;
        // Without the comma before them and the bracket behind them.
        Some(arguments.len().saturating_sub(2))
    }
}

impl Session {
    /// Sends a refusal: as the ack if the client asked for one, otherwise as `rt:error`.
    pub(super) fn refuse(
        &self,
        event: &str,
        code: &str,
        reference: Option<&str>,
        ack: Option<i64>,
    ) {
        self.record_refusal(code);
        self.push_refusal(Outgoing::refusal(event, code, reference, ack));
    }

    /// Refuses an event that is not handled at all. A client may send thousands of them at once, so
    /// that their refusals wait until the connection has written others.
    pub(super) fn refuse_unhandled(&self, inbound: &Inbound, refusal: EventRefusal) {
        self.record_refusal(refusal.code());
        let label = match inbound.ack {
            Some(_) => Cow::Borrowed(""),
            None => ParsedEvent::read(&inbound.json).label(),
        };
        self.state().outbox_mut().push_unhandled(Unhandled {
            ack: inbound.ack,
            name: wire::shorten(&label).into(),
            refusal,
        });
        self.port.wake();
    }

    pub(super) fn record_refusal(&self, code: &str) {
        self.counters.events_refused.add(code);
        tracing::debug!(
            session = %self.id,
            user = %self.user,
            code,
            "inbound event refused"
        );
    }

    /// Sends the ack if the client asked for one.
    pub(super) fn acknowledge(&self, ack: Option<i64>, answer: Box<RawValue>) {
        if let Some(id) = ack {
            self.push(Outgoing::Ack { id, answer });
        }
    }

    /// Handles one event, to its end if it has a handler: also if the session ends meanwhile. Does
    /// nothing if the session has ended and nothing may begin.
    pub(super) async fn handle(self: Arc<Self>, node: Arc<Node>, inbound: Inbound) {
        if !self.may_begin_event(&node) {
            return;
        }
        let ack = inbound.ack;
        let event = ParsedEvent::read(&inbound.json);
        let (name, arguments) = match &event {
            ParsedEvent::Plain { name, arguments } => (*name, arguments),
            other => return self.refuse_odd(&node, other, ack),
        };
        let argument = arguments.first().copied().unwrap_or(RawValue::NULL);
        if !node.handlers().has(name) {
            return self.handle_while_live(&node, name, argument, ack).await;
        }
        if arguments.len() > 1 {
            return self.refuse(name, EventRefusal::Malformed.code(), None, ack);
        }
        self.handle_custom(&node, name, argument, ack).await;
    }

    /// Handles an event of the session itself, or one that nothing handles. Stops when the session
    /// ends: nothing of it is left to do then.
    async fn handle_while_live(
        &self,
        node: &Node,
        name: &str,
        argument: &RawValue,
        ack: Option<i64>,
    ) {
        let handling = async {
            match ClientEvent::named(name) {
                Some(ClientEvent::JoinOrderRoom) => self.handle_join(node, argument, ack).await,
                Some(ClientEvent::LeaveOrderRoom) => self.handle_leave(node, argument, ack),
                Some(ClientEvent::Sync) => self.handle_sync(argument, ack),
                Some(ClientEvent::Refresh) => self.handle_refresh(node, argument, ack).await,
                // The backlog handles one that comes in time.
                Some(ClientEvent::Resume) => {
                    self.refuse(name, EventRefusal::NotAwaitingResume.code(), None, ack);
                }
                None => self.refuse(name, EventRefusal::UnknownEvent.code(), None, ack),
            }
        };
        tokio::select! {
            biased;
            () = self.ended() => {}
            () = handling => {}
        }
    }

    /// Refuses an event that no handler can take.
    fn refuse_odd(&self, node: &Node, event: &ParsedEvent<'_>, ack: Option<i64>) {
        let refusal = match event {
            ParsedEvent::Binary { name } if is_known(node, name) => EventRefusal::Malformed,
            ParsedEvent::Malformed => EventRefusal::Malformed,
            _ => EventRefusal::UnknownEvent,
        };
        self.refuse(&event.label(), refusal.code(), None, ack);
    }

    /// Passes the event to the embedder's handler.
    async fn handle_custom(&self, node: &Node, name: &str, argument: &RawValue, ack: Option<i64>) {
        let Some(handling) = node.handlers().handle(self, name, argument) else {
            return self.refuse(name, EventRefusal::UnknownEvent.code(), None, ack);
        };
        match handling.await {
            Ok(answer) => self.acknowledge(ack, answer),
            Err(code) => self.refuse(name, &code, None, ack),
        }
    }
}

/// Returns whether the session or a handler knows an event of this name.
fn is_known(node: &Node, name: &str) -> bool {
    ClientEvent::named(name).is_some() || node.handlers().has(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: Option<usize>) {
        let inbound = Inbound {
            json: json.to_owned(),
            ack: None,
        };
        assert_eq!(inbound.room_event_size(), expected, "{json}");
    }

    #[test]
    fn joins_and_leaves_are_recognised_with_the_size_of_their_arguments() {
        check(r#"["join_order_room","o1"]"#, Some(4));
        check(r#" [ "leave_order_room","o1"]"#, Some(4));
        check(r#"["join_order_room",{"orderId":"o1"}]"#, Some(16));
        check(r#"["join_order_room"]"#, Some(0));
        check(r#"["join_order_rooms","o1"]"#, None);
        check(r#"["chat","join_order_room"]"#, None);
        check(r#"["rt:resume",{}]"#, None);
        check("", None);
    }
}
