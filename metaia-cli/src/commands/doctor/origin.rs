//! A handshake with the origin of a browser, by a transport that works without it.

use metaia_realtime::client::Transport;
use reqwest::header::ACCESS_CONTROL_ALLOW_ORIGIN;

use super::visit::Visit;
use super::{polling, websocket};
use crate::diagnosis::{Fault, HttpReply, Via};
use crate::doctor::{Facts, Found, OriginAnswer};
use crate::probe::session_id;

/// Asks with the origin; not if there is none, or if no transport works without it.
pub(super) async fn ask(visit: &Visit<'_>, facts: &Facts) -> Option<Found<OriginAnswer>> {
    facts.wishes.asked.origin.as_ref()?;
    let handshakes = facts.handshakes.as_ref()?;
    if handshakes.polled.opens() && facts.wishes.transport != Some(Transport::WebSocket) {
        return Some(visit.attempt(by_polling(visit)).await);
    }
    handshakes.websocket.value.as_ref().ok()?;
    Some(visit.attempt(by_websocket(visit)).await)
}

async fn by_polling(visit: &Visit<'_>) -> Result<OriginAnswer, Fault> {
    let http = client(visit)?;
    let reply = visit.send(http.get(visit.url(polling::HANDSHAKE))).await?;
    if let Some(sid) = session_id(&reply.body) {
        polling::close(visit, &format!("{}&sid={sid}", polling::HANDSHAKE)).await;
    }
    if !reply.opens_session() {
        return Err(Fault::Reply(reply));
    }
    Ok(OriginAnswer {
        via: Via::Polling,
        allowed: allowed(&reply),
    })
}

/// Returns the values of the header that lets a page read the answer. With two of them, of the
/// server and of a proxy, a browser does not.
fn allowed(reply: &HttpReply) -> Option<String> {
    let name = ACCESS_CONTROL_ALLOW_ORIGIN.as_str();
    let headers = reply.headers.iter().filter(|(known, _)| known == name);
    let values: Vec<&str> = headers.map(|(_, value)| value.as_str()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

async fn by_websocket(visit: &Visit<'_>) -> Result<OriginAnswer, Fault> {
    websocket::greet_with(visit, &client(visit)?).await?;
    Ok(OriginAnswer {
        via: Via::WebSocket,
        allowed: None,
    })
}

/// Returns a client that sends the origin with each request.
fn client(visit: &Visit<'_>) -> Result<reqwest::Client, Fault> {
    let client = visit.context.network.http(visit.limit());
    client.map_err(|failure| Fault::Invalid(failure.chain()))
}
