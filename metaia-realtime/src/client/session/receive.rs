//! What a session does with what it reads.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;

use super::super::error::DisconnectReason;
use super::super::event::{Event, Ready, Reset, Responder, Stamp, Update};
use super::super::packet::EnginePacket;
use super::super::transport::TransportError;
use super::super::updates::Delivery;
use super::inbound::Meaning;
use super::live::{End, Session};
use crate::values::time::unix_ms;

impl Session<'_> {
    pub(super) async fn receive(
        &mut self,
        packet: Result<EnginePacket, TransportError>,
    ) -> Result<(), End> {
        let lost = |error: TransportError| End::Lost(error.into());
        self.hear();
        match self
            .inbound
            .read(packet.map_err(lost)?)
            .map_err(|error| lost(error.into()))?
        {
            Meaning::Nothing => Ok(()),
            Meaning::Pong(probe) => self.write(&[EnginePacket::Pong(probe)]).await,
            Meaning::Disconnect => Err(End::Lost(DisconnectReason::ServerDisconnect)),
            Meaning::Close => {
                let detail = "the server closed the session".to_owned();
                Err(End::Lost(DisconnectReason::TransportClose(detail)))
            }
            Meaning::Answer { id, args } => {
                self.acks.answer(id, args);
                Ok(())
            }
            Meaning::Event {
                id,
                name,
                args,
                attachments,
            } => {
                let ack = id.map(|id| self.responder(id));
                self.take(event(name, args, attachments, ack));
                Ok(())
            }
        }
    }

    fn responder(&self, id: u64) -> Responder {
        Responder {
            id,
            connection: self.connection,
            commands: self.port.commands_in.clone(),
        }
    }

    /// Learns from an event what has to be known for resuming, and queues it for the application.
    fn take(&mut self, event: Event) {
        let position = event.at.clone();
        let is_new = self.remember(&event);
        if event.name == "rt:drain" {
            self.come_back = event
                .data
                .get("retryInMs")
                .and_then(Value::as_u64)
                .map(Duration::from_millis);
        }
        let update = is_new.then(|| update(event)).flatten();
        if update.is_some() || position.is_some() {
            self.port.outbox.push(Delivery { update, position });
        }
    }

    /// Whether the event was not seen before.
    fn remember(&self, event: &Event) -> bool {
        let mut resume = self.port.shared.resume();
        // A reset without a position leaves none that the server would take.
        if event.at.is_some() || event.name == "rt:reset" {
            resume.reached.clone_from(&event.at);
        }
        resume.observe(&event.name, &event.data);
        !event
            .id
            .as_deref()
            .is_some_and(|id| resume.is_duplicate(id))
    }
}

fn event(name: String, args: Vec<Value>, attachments: Vec<Bytes>, ack: Option<Responder>) -> Event {
    let mut args = args.into_iter();
    let data = args.next().unwrap_or(Value::Null);
    let Stamp { id, at, ts } = Stamp::of(&data);
    Event {
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

/// What the application sees of an event: its position alone, a change of state, or the event
/// itself.
fn update(event: Event) -> Option<Update> {
    match event.name.as_str() {
        "rt:position" => None,
        "rt:ready" => Some(Update::Ready(Ready::of(event.data))),
        "rt:reset" => Some(Update::Reset(Reset::of(&event.data))),
        _ => Some(Update::Event(event)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(name: &str, data: Value) -> Event {
        event(name.to_owned(), vec![data], Vec::new(), None)
    }

    #[test]
    fn an_event_shows_its_stamp() {
        let event = of(
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
        let event = event("ready".to_owned(), Vec::new(), Vec::new(), None);
        assert_eq!((event.data, event.id, event.at), (Value::Null, None, None));
    }

    #[test]
    fn the_system_speaks_in_updates_of_its_own() {
        let ready = json!({"userId": "u1", "role": "tailor", "rooms": ["tailor-room"], "recovered": true, "replayed": 3, "_rt": {"at": "p.9"}});
        let Some(Update::Ready(ready)) = update(of("rt:ready", ready)) else {
            panic!("not ready")
        };
        assert_eq!(
            (ready.user_id.as_str(), ready.recovered, ready.replayed),
            ("u1", true, 3)
        );
        assert_eq!(ready.at.as_deref(), Some("p.9"));
        let reset = update(of(
            "rt:reset",
            json!({"reason": "too_old", "_rt": {"at": "p.5"}}),
        ));
        assert!(matches!(reset, Some(Update::Reset(Reset { reason, .. })) if reason == "too_old"));
        assert!(update(of("rt:position", json!({"_rt": {"at": "p.6"}}))).is_none());
        assert!(matches!(
            update(of("rt:error", json!({}))),
            Some(Update::Event(_))
        ));
    }
}
