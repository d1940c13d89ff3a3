//! Delivery to a live session: a fence, and an event that the tool sends to it.
//!
//! The event is volatile and for the session's own user, so that nothing of it is stored. A fence
//! covers what is stored, and needs no right: a tool that may not write has it alone.

use std::time::Duration;

use metaia_realtime::Role;
use metaia_realtime::client::{SendError, SyncError, Update};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::session::DoctorSession;
use super::visit::Visit;
use crate::diagnosis::{Fault, fault_text};
use crate::doctor::{Delivered, OwnEvent};
use crate::exit::Exit;
use crate::identity::Authority;

/// The name of the event. No server sends one of this name.
const EVENT: &str = "metaia.doctor";

/// Asks for a fence, then sends an event and waits for it.
pub(super) async fn deliver(visit: &Visit<'_>, session: &mut DoctorSession) -> Delivered {
    let fence = fence(session, visit.limit()).await;
    let own_event = match sender(visit) {
        Ok(sender) => own_event(visit, session, &sender).await,
        Err(why) => OwnEvent::NotSent(why.to_owned()),
    };
    Delivered { fence, own_event }
}

async fn fence(session: &DoctorSession, limit: Duration) -> Result<Duration, (Exit, String)> {
    let began = Instant::now();
    let late = || {
        let seconds = limit.as_secs_f64();
        (Exit::TimedOut, format!("no answer within {seconds:.1} s"))
    };
    match timeout(limit, session.client.sync()).await {
        Ok(Ok(_)) => Ok(began.elapsed()),
        Ok(Err(SyncError::Emit(SendError::Timeout(_)))) | Err(_) => Err(late()),
        Ok(Err(error @ SyncError::Emit(_))) => Err((Exit::Unreachable, error.to_string())),
        Ok(Err(error)) => Err((Exit::Failed, error.to_string())),
    }
}

/// Returns the credentials with which an event can be sent, or the reason why none is sent.
fn sender(visit: &Visit<'_>) -> Result<Authority, &'static str> {
    let context = visit.context;
    if context.protection().is_some() {
        return Err("the context is protected, and an event is written: --yes permits it");
    }
    let owner = visit.identity.clone();
    if let Some(admin) = owner.filter(|identity| identity.has_role(Role::Admin)) {
        return Ok(Authority::Token(admin));
    }
    if let Ok(Some(key)) = context.settings.api_key() {
        return Ok(Authority::ApiKey(key));
    }
    let admin = context.default_admin().map(Authority::Token);
    admin.map_err(|_| "no token, key or secret at hand may send one")
}

async fn own_event(visit: &Visit<'_>, session: &mut DoctorSession, sender: &Authority) -> OwnEvent {
    let user = session.ready.as_ref().map(|ready| ready.user_id.clone());
    let mark = uuid::Uuid::new_v4().simple().to_string();
    let event = json!({
        "to": {"user": user},
        "event": EVENT,
        "data": {"mark": mark},
        "volatile": true,
    });
    let request = visit
        .http
        .post(visit.url("/api/realtime/emit"))
        .json(&event);
    let Some(request) = authorized(visit, request, sender) else {
        return OwnEvent::NotSent("--header Authorization takes the place of a token".to_owned());
    };
    let limit = visit.limit();
    let began = Instant::now();
    let sent = visit.attempt(visit.send(request)).await;
    if let Some(why) = refused(sent.value) {
        return OwnEvent::NotSent(why);
    }
    match timeout(limit, arrival(session, &mark)).await {
        Ok(Some(())) => OwnEvent::Back(began.elapsed()),
        _ => OwnEvent::Lost(limit),
    }
}

fn authorized(
    visit: &Visit<'_>,
    request: RequestBuilder,
    sender: &Authority,
) -> Option<RequestBuilder> {
    match sender {
        Authority::ApiKey(key) => Some(request.header("x-api-key", key)),
        Authority::Token(_) if visit.network.has_authorization() => None,
        Authority::Token(identity) => Some(request.bearer_auth(identity.token().ok()?)),
    }
}

/// Returns why the event was not taken.
fn refused(sent: Result<crate::diagnosis::HttpReply, Fault>) -> Option<String> {
    match sent {
        Ok(reply) if reply.status == 202 => None,
        Ok(reply) if reply.status == 404 => Some("the server has no REST interface".to_owned()),
        Ok(reply) => Some(fault_text(&Fault::Reply(reply))),
        Err(fault) => Some(fault_text(&fault)),
    }
}

/// Waits for the event. Returns `None` if the session ends before.
async fn arrival(session: &mut DoctorSession, mark: &str) -> Option<()> {
    loop {
        if let Update::Event(event) = session.updates.recv().await?
            && event.name == EVENT
            && event.data.get("mark").and_then(Value::as_str) == Some(mark)
        {
            return Some(());
        }
    }
}
