//! Events that an admin or a backend sends to any target.

use metaia_realtime::{
    NewEntry, PublishReceipt,
    event::EventName,
    planted_faults::{Fault, planted},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    error::ServiceError, handle::Services, idempotency::IdempotentReply,
    permissions::only_operators, target::Target,
};
use crate::{
    model::Caller,
    store::{Change, IdempotencyClaim, StoredReply},
};

/// The body of `POST /api/realtime/emit`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Emit {
    /// The receivers.
    pub to: Target,
    /// The event's name: 1 to 64 characters of `A-Za-z0-9_:.-`, not beginning with `rt:`, and none
    /// that Socket.IO clients use themselves, such as `connect`.
    #[schema(value_type = String)]
    pub event: EventName,
    /// The payload: a JSON object; any JSON for a volatile event.
    #[schema(value_type = Object)]
    pub data: Box<RawValue>,
    /// True if the event is not logged: it has no position and is never replayed, and a client that
    /// is slow receives only the newest of each key.
    #[serde(default)]
    pub volatile: bool,
    /// The key of a volatile event. Default: its name and its room.
    // Requests without it must have the same fingerprint as on nodes that do not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// Makes the reply from the receipt of a logged event; a volatile event has none.
pub type EmitReply = fn(Option<&PublishReceipt>) -> StoredReply;

impl Services {
    /// Sends an event.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn emit(
        &self,
        caller: &Caller,
        key: Option<&str>,
        emit: Emit,
        reply: EmitReply,
    ) -> Result<IdempotentReply, ServiceError> {
        only_operators(caller)?;
        if emit.key.is_some() && !emit.volatile {
            let message = "is allowed only if volatile is true";
            return Err(ServiceError::invalid("/key", message));
        }
        let request = emit.clone();
        let work = |claim| async move {
            if emit.volatile && !planted(Fault::VolatileReplayed) {
                self.emit_volatile(emit, claim, reply).await
            } else {
                self.emit_logged(emit, claim, reply).await
            }
        };
        self.idempotently(caller, "POST /api/realtime/emit", key, &request, work)
            .await
    }

    async fn emit_logged(
        &self,
        emit: Emit,
        claim: Option<IdempotencyClaim>,
        reply: EmitReply,
    ) -> Result<StoredReply, ServiceError> {
        let entry = NewEntry::event([emit.to.room()], (emit.event.as_str(), &*emit.data))?;
        let change = Change {
            writes: Vec::new(),
            events: vec![entry],
            claim,
            reply: Box::new(move |receipts| reply(receipts.first())),
        };
        Ok(self.store().commit(change).await?)
    }

    /// Stores nothing but the reply, and that only if the caller gave an idempotency key.
    async fn emit_volatile(
        &self,
        emit: Emit,
        claim: Option<IdempotencyClaim>,
        reply: EmitReply,
    ) -> Result<StoredReply, ServiceError> {
        let event = (emit.event.as_str(), &*emit.data);
        let mut sender = self.realtime().volatile();
        if let Some(key) = &emit.key {
            sender = sender.keyed(key);
        }
        sender.send([emit.to.room()], event)?;
        let reply = reply(None);
        if claim.is_none() {
            return Ok(reply);
        }
        let change = Change {
            claim,
            ..Change::replying(reply)
        };
        Ok(self.store().commit(change).await?)
    }
}
