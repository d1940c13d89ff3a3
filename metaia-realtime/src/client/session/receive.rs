//! The handling of the packets that a session reads.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;

use super::{
    live::{ClientSession, SessionEnd},
    packet_reader::Meaning,
    renewal::EXPIRING,
};
use crate::{
    client::{
        delivery::Delivery,
        error::{DisconnectReason, SendError},
        event::{Ready, ReceivedEvent, Reset, Responder, ServerEnd, Stamp, Update},
        packet::{EnginePacket, SkimmedEvent},
        transport::TransportError,
    },
    values::time::unix_ms,
};

/// The most characters of an event's name that the log shows.
const MAX_SHOWN_CHARS: usize = 64;

impl ClientSession<'_> {
    pub(super) async fn receive(
        &mut self,
        packet: Result<EnginePacket, TransportError>,
    ) -> Result<(), SessionEnd> {
        let lost = |error: TransportError| SessionEnd::Lost(error.into());
        self.reset_silence();
        let packet = packet.map_err(lost)?;
        // Every packet shows that the server is alive.
        self.note_heard();
        let meaning = self
            .packets
            .read(packet)
            .map_err(|error| lost(error.into()))?;
        self.handle(meaning).await
    }

    async fn handle(&mut self, meaning: Meaning) -> Result<(), SessionEnd> {
        match meaning {
            Meaning::Nothing => Ok(()),
            Meaning::Ping(probe) => self.write(&[EnginePacket::Pong(probe)]).await,
            Meaning::Disconnect => Err(SessionEnd::Lost(DisconnectReason::ServerDisconnect)),
            Meaning::Close => {
                let detail = "the server closed the session".to_owned();
                Err(SessionEnd::Lost(DisconnectReason::TransportClose(detail)))
            }
            Meaning::Ack { id, answer } => {
                self.acks.answer(id, Ok(answer));
                Ok(())
            }
            Meaning::LargeAck(id) => {
                self.acks.answer(id, Err(SendError::AckTooLarge));
                Ok(())
            }
            Meaning::LargeEvent(event) => {
                self.pass_over(event);
                Ok(())
            }
            Meaning::Event {
                id,
                name,
                args,
                attachments,
            } => {
                let ack = id.map(|id| self.responder(id));
                self.deliver(new_event(name, args, attachments, ack));
                Ok(())
            }
        }
    }

    fn responder(&self, id: u64) -> Responder {
        Responder {
            id,
            connection: self.connection,
            commands: self.channels.commands_in.clone(),
        }
    }

    /// Updates the state for resuming, and queues the event for the application.
    fn deliver(&mut self, event: ReceivedEvent) {
        let position = event.at.clone();
        let is_new = self.update_resume(&event);
        self.ready |= event.name == "rt:ready";
        if event.name == EXPIRING {
            self.renewal.begin(&event.data);
        }
        if event.name == "rt:drain" {
            self.retry_after = event
                .data
                .get("retryInMs")
                .and_then(Value::as_u64)
                .map(Duration::from_millis);
        }
        let update = if is_new { update_for(event) } else { None };
        if update.is_some() || position.is_some() {
            self.channels.outbox.push(Delivery { update, position });
        }
    }

    /// Continues after an event that is larger than the client takes, and tells the application:
    /// without its position, each reconnect would begin with it again.
    fn pass_over(&mut self, event: SkimmedEvent) {
        let SkimmedEvent { name, id, at } = event;
        let shown: String = name.chars().take(MAX_SHOWN_CHARS).collect();
        tracing::warn!(event = ?shown, ?at, "an event is larger than `max_message`");
        let is_new = {
            let mut resume = self.channels.state.resume();
            if at.is_some() {
                resume.reached.clone_from(&at);
            }
            id.is_none_or(|id| !resume.is_duplicate(&id))
        };
        let position = at.clone();
        let update = is_new.then_some(Update::TooLarge { at });
        if update.is_some() || position.is_some() {
            self.channels.outbox.push(Delivery { update, position });
        }
    }

    /// Updates the state for resuming. Returns whether the event is not a duplicate.
    fn update_resume(&self, event: &ReceivedEvent) -> bool {
        let mut resume = self.channels.state.resume();
        // After a reset without a position there is none that the server would accept.
        if event.at.is_some() || event.name == "rt:reset" {
            resume.reached.clone_from(&event.at);
        }
        resume.observe(&event.name, &event.data);
        match &event.id {
            Some(id) => !resume.is_duplicate(id),
            None => true,
        }
    }
}

fn new_event(
    name: String,
    args: Vec<Value>,
    attachments: Vec<Bytes>,
    ack: Option<Responder>,
) -> ReceivedEvent {
    let mut args = args.into_iter();
    let data = args.next().unwrap_or(Value::Null);
    let Stamp { id, at, ts } = Stamp::from_data(&data);
    ReceivedEvent {
        name,
        data,
        more: args.collect(),
        attachments,
        id,
        at,
        ts,
        received_at: unix_ms(),
        received: Instant::now(),
        ack,
    }
}

/// Returns the update for an event: a change of state, or the event itself. Returns `None` for an
/// event that carries its position alone.
fn update_for(event: ReceivedEvent) -> Option<Update> {
    match event.name.as_str() {
        "rt:position" => None,
        "rt:ready" => Some(Update::Ready(Ready::from_data(event.data))),
        "rt:reset" => Some(Update::Reset(Reset::from_data(&event.data))),
        "rt:end" => Some(Update::End(ServerEnd::from_data(&event.data))),
        _ => Some(Update::Event(event)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(name: &str, data: Value) -> ReceivedEvent {
        new_event(name.to_owned(), vec![data], Vec::new(), None)
    }

    #[test]
    fn an_event_shows_its_stamp() {
        let event = named(
            "order_update",
            json!({"_id": "o1", "_rt": {"id": "e1", "at": "p.1", "ts": 7}}),
        );
        assert_eq!(
            (event.id.as_deref(), event.at.as_deref(), event.ts),
            (Some("e1"), Some("p.1"), Some(7))
        );
        assert_eq!(event.latency_ms(), Some(event.received_at - 7));
    }

    #[test]
    fn an_event_of_another_server_has_none() {
        let event = new_event("ready".to_owned(), Vec::new(), Vec::new(), None);
        assert_eq!((event.data, event.id, event.at), (Value::Null, None, None));
    }

    #[test]
    fn control_events_become_updates_of_their_own() {
        let ready = json!({
            "userId": "u1", "role": "tailor", "rooms": ["tailor-room"],
            "recovered": true, "replayed": 3, "_rt": {"at": "p.9"},
        });
        let Some(Update::Ready(ready)) = update_for(named("rt:ready", ready)) else {
            panic!("not ready")
        };
        assert_eq!(
            (ready.user_id.as_str(), ready.recovered, ready.replayed),
            ("u1", true, 3)
        );
        assert_eq!(ready.at.as_deref(), Some("p.9"));
        let reset = update_for(named(
            "rt:reset",
            json!({"reason": "too_old", "_rt": {"at": "p.5"}}),
        ));
        assert!(matches!(reset, Some(Update::Reset(Reset { reason, .. })) if reason == "too_old"));
        let end = update_for(named("rt:end", json!({"code": "kicked"})));
        assert!(matches!(end, Some(Update::End(ServerEnd { code })) if code == "kicked"));
        assert!(update_for(named("rt:position", json!({"_rt": {"at": "p.6"}}))).is_none());
        assert!(matches!(
            update_for(named("rt:error", json!({}))),
            Some(Update::Event(_))
        ));
    }
}
