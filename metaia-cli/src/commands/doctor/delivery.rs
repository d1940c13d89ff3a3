//! Delivery to a live session: a fence, and an event that the tool sends to it.
//!
//! The event is volatile and for the session's own user, so that nothing of it is stored. A fence
//! covers what is stored, and needs no right: a tool that may not write has it alone.

use metaia_realtime::Role;
use metaia_realtime::client::Update;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::session::DoctorSession;
use super::visit::Visit;
use crate::context::{Context, default_admin};
use crate::diagnosis::{
    Fault, HttpReply, ProbeResult, SuppliedBy, TokenKind, Via, diagnose, fault_text, lacks_right,
    not_delivered,
};
use crate::doctor::{Delivered, OwnEvent};
use crate::identity::{Authority, Identity};

/// The name of the event. No server sends one of this name.
const EVENT: &str = "metaia.doctor";

const PATH: &str = "/api/realtime/emit";

/// Asks for a fence, then sends an event and waits for it.
pub(super) async fn deliver(visit: &Visit<'_>, session: &mut DoctorSession) -> Delivered {
    let fence = session.fence(visit).await;
    let own_event = match sender(visit) {
        Ok(sender) => own_event(visit, session, &sender).await,
        Err(why) => OwnEvent::NotSent(why.to_owned()),
    };
    Delivered { fence, own_event }
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
    let token = visit.identity.as_ref().map(Identity::token_kind);
    if let Some(TokenKind::Supplied(by)) = token {
        let sender = beside_token(visit, by);
        return sender.ok_or("the token may not send one, and no secret at hand has signed it");
    }
    if let Ok(Some(key)) = context.settings.api_key() {
        return Ok(Authority::ApiKey(key));
    }
    let admin = context.default_admin().map(Authority::Token);
    admin.map_err(|_| "no token, key or secret at hand may send one")
}

/// Returns credentials of the server that a supplied token is for. Any others at hand may be those
/// of another server, which this one must not get.
fn beside_token(visit: &Visit<'_>, by: SuppliedBy) -> Option<Authority> {
    if visit.has_secret_of_token() {
        let admin = visit.context.mint_for(&default_admin().ok()?);
        return admin.ok().map(Authority::Token);
    }
    let server = visit.context.settings.context();
    let server = server.filter(|_| by == SuppliedBy::Context)?;
    if let Some(key) = &server.api_key {
        return key.read().ok().map(Authority::ApiKey);
    }
    let admin = Context::identity_of_secret(server.token_of(Role::Admin)?);
    admin.ok().map(Authority::Token)
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
    let request = visit.http.post(visit.url(PATH)).json(&event);
    let Some(request) = authorized(visit, request, sender) else {
        return OwnEvent::NotSent("--header Authorization takes the place of a token".to_owned());
    };
    let sent = visit.attempt(visit.send(request)).await;
    if let Some(untaken) = untaken(visit, sender, sent.value) {
        return untaken;
    }
    let limit = visit.limit();
    let began = Instant::now();
    match timeout(limit, arrival(session, &mark)).await {
        Ok(Some(())) => OwnEvent::Back(began.elapsed()),
        _ => OwnEvent::Lost(visit.late(limit, not_delivered(limit))),
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

/// Returns why the event was not taken; `None` if it was.
fn untaken(
    visit: &Visit<'_>,
    sender: &Authority,
    sent: Result<HttpReply, Fault>,
) -> Option<OwnEvent> {
    let fault = match sent {
        Ok(reply) if reply.status == 202 => return None,
        Ok(reply) if reply.status == 404 => return Some(OwnEvent::NotSent(without_rest(&reply))),
        Ok(reply) => Fault::Reply(reply),
        Err(fault) => fault,
    };
    if let Fault::Reply(reply) = &fault
        && lacks_right(reply)
    {
        return Some(OwnEvent::NotSent(fault_text(&fault)));
    }
    let asked = visit.context.asked(Via::Rest, PATH, sender.token_kind());
    Some(match asked {
        Ok(asked) => OwnEvent::Refused(diagnose(&asked, &fault, &ProbeResult::Nothing)),
        Err(failure) => OwnEvent::NotSent(failure.chain()),
    })
}

fn without_rest(reply: &HttpReply) -> String {
    match reply.header("server") {
        Some(_) => format!("{} answered 404: /api/ is not passed on", reply.program()),
        None => "the server has no REST interface".to_owned(),
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
