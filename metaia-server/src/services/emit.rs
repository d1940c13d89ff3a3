//! Any event to anybody, by an admin or another backend.

use metaia_realtime::{NewEntry, event::EventName};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Outcome, ServiceError, Services, Target, only_operators};
use crate::{
    model::Caller,
    store::{Answer, Change, Claim},
};

/// The body of `POST /api/realtime/emit`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Emit {
    /// To whom.
    pub to: Target,
    /// The event's name: 1 to 64 of `A-Za-z0-9_:.-`, not beginning with `rt:`.
    #[schema(value_type = String)]
    pub event: EventName,
    /// Its payload: a JSON object, or anything where it is volatile.
    #[schema(value_type = Object)]
    pub data: Box<RawValue>,
    /// Whether it skips the log: newest wins, may be dropped, never replayed.
    #[serde(default)]
    pub volatile: bool,
}

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
    ) -> Result<Outcome, ServiceError> {
        only_operators(caller)?;
        let request = emit.clone();
        let work = |claim| async move {
            if emit.volatile {
                self.emit_volatile(emit, claim).await
            } else {
                self.emit_logged(emit, claim).await
            }
        };
        self.once(caller, "POST /api/realtime/emit", key, &request, work)
            .await
    }

    async fn emit_logged(&self, emit: Emit, claim: Option<Claim>) -> Result<Answer, ServiceError> {
        let entry = NewEntry::event([emit.to.room()], (emit.event.as_str(), &*emit.data))?;
        let change = Change {
            events: vec![entry],
            claim,
            reply: Box::new(|receipts| Answer::success(202, receipts.first().map(Sent::from))),
            ..Change::answering(Answer::success(202, ()))
        };
        Ok(self.store().commit(change).await?)
    }

    /// Nothing is stored of it but the answer, where that is to be repeated.
    async fn emit_volatile(
        &self,
        emit: Emit,
        claim: Option<Claim>,
    ) -> Result<Answer, ServiceError> {
        self.0
            .realtime
            .volatile()
            .send([emit.to.room()], (emit.event.as_str(), &*emit.data))?;
        let answer = Answer::success(202, serde_json::json!({}));
        if claim.is_none() {
            return Ok(answer);
        }
        Ok(self
            .store()
            .commit(Change {
                claim,
                ..Change::answering(answer)
            })
            .await?)
    }
}

/// `{id, at}`
#[derive(Serialize)]
struct Sent {
    id: metaia_realtime::EventId,
    at: metaia_realtime::Position,
}

impl From<&metaia_realtime::PublishReceipt> for Sent {
    fn from(receipt: &metaia_realtime::PublishReceipt) -> Self {
        Self {
            id: receipt.id,
            at: receipt.position,
        }
    }
}
