//! Everything that a server tells without a token. The requests are sent at the same time.

use std::time::Duration;

use metaia_realtime::Role;
use reqwest::tls::TlsInfo;
use tokio::time::timeout;

use super::visit::Visit;
use super::{polling, websocket};
use crate::clock;
use crate::diagnosis::{Asked, Fault, HttpReply, ProbeResult, Via, fault_text};
use crate::doctor::{Certificate, Found, Handshakes};
use crate::exit::Failure;
use crate::probe::probe;
use crate::retry_after::{WaitBudget, wait_for_next};

/// The longest version that is shown.
const MAX_VERSION: usize = 32;

/// Asks, and asks once more after the time for which a server wants to be left alone, as one does
/// that is going down.
pub(super) async fn shake_patiently(visit: &mut Visit<'_>) -> Handshakes {
    let first = shake(visit).await;
    let budget = WaitBudget::start(visit.context.timeout);
    let Some((wait, reason)) = asked_wait(&first, budget) else {
        return first;
    };
    wait_for_next(&visit.context.printer, &reason, wait).await;
    visit.prolong(wait);
    Handshakes {
        waited: Some(wait),
        ..shake(visit).await
    }
}

/// Returns the time to wait, and the reason in words.
fn asked_wait(handshakes: &Handshakes, budget: WaitBudget) -> Option<(Duration, String)> {
    let waits = handshakes.replies().filter_map(|reply| {
        let wait = budget.wait(reply.status, reply.wait_to_repeat())?;
        Some((wait, reply))
    });
    let (wait, reply) = waits.max_by_key(|(wait, _)| *wait)?;
    let reason = if handshakes.replies().any(HttpReply::is_draining) {
        "the server is going down for a moment (draining)".to_owned()
    } else {
        fault_text(&Fault::Reply(reply.clone()))
    };
    Some((wait, reason))
}

async fn shake(visit: &Visit<'_>) -> Handshakes {
    let ((livez, certificate), readyz, polled, websocket, version, nodes) = tokio::join!(
        livez(visit),
        visit.attempt(visit.get("/readyz")),
        polling::poll(visit),
        visit.attempt(websocket::greet(visit)),
        version(visit),
        nodes(visit),
    );
    let asks_rest = matches!(&livez.value, Ok(reply) if !reply.body.contains("alive"));
    Handshakes {
        probed: explained(visit, &livez).await,
        has_rest: asks_rest && has_rest(visit).await,
        livez,
        readyz,
        version,
        nodes,
        certificate,
        polled,
        websocket,
        waited: None,
    }
}

/// Asks if the process answers, and reads the certificate of the answer.
async fn livez(visit: &Visit<'_>) -> (Found<HttpReply>, Option<Certificate>) {
    let mut certificate = None;
    let asked = async {
        let sent = visit.http.get(visit.url("/livez")).send().await;
        let response = sent.map_err(|error| visit.fault(error))?;
        let tls: Option<&TlsInfo> = response.extensions().get();
        let der = tls.and_then(TlsInfo::peer_certificate);
        certificate = der.and_then(|der| Certificate::read(der, clock::unix_s()));
        visit.read(response).await
    };
    let livez = visit.attempt(asked).await;
    (livez, certificate)
}

/// Sends the probes that explain why there was no answer.
async fn explained(visit: &Visit<'_>, livez: &Found<HttpReply>) -> ProbeResult {
    let Err(fault) = &livez.value else {
        return ProbeResult::Nothing;
    };
    let Ok(asked) = asked(visit) else {
        return ProbeResult::Nothing;
    };
    let probed = probe(&visit.network, &asked, fault);
    let probed = timeout(visit.limit(), probed).await;
    probed.unwrap_or(ProbeResult::Nothing)
}

fn asked(visit: &Visit<'_>) -> Result<Asked, Failure> {
    let context = visit.context;
    context.asked(Via::Polling, "/livez", crate::diagnosis::TokenKind::None)
}

/// Asks if `/api/` is METAIA's: it wants a token.
async fn has_rest(visit: &Visit<'_>) -> bool {
    let answer = visit.attempt(visit.get("/api/orders")).await;
    answer.value.is_ok_and(|reply| reply.asks_for_token())
}

/// Reads the version from the description of the REST interface, which begins with it.
async fn version(visit: &Visit<'_>) -> Option<String> {
    let answer = visit.attempt(visit.get("/openapi.json")).await;
    version_in(&answer.value.ok()?.body)
}

fn version_in(description: &str) -> Option<String> {
    if !description.contains("METAIA") {
        return None;
    }
    let (_, rest) = description.split_once("\"version\":")?;
    let text = rest.trim_start().strip_prefix('"')?;
    let (version, _) = text.split_once('"')?;
    (version.len() <= MAX_VERSION).then(|| version.to_owned())
}

/// Counts the nodes, which a server tells to an admin.
async fn nodes(visit: &Visit<'_>) -> Option<usize> {
    let admin = visit.identity.as_ref()?;
    if !admin.has_role(Role::Admin) || visit.network.has_authorization() {
        return None;
    }
    let request = visit.http.get(visit.url("/api/realtime/stats"));
    let request = request.bearer_auth(admin.token().ok()?);
    let answer = visit.attempt(visit.send(request)).await.value.ok()?;
    let answer: serde_json::Value = serde_json::from_str(&answer.body).ok()?;
    let nodes = answer.get("data")?.get("nodes")?.as_array()?;
    Some(nodes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_beginning_of_a_description() {
        let description = r#"{"openapi":"3.1.0","info":{"title":"METAIA","version": "0.1.0","#;
        assert_eq!(version_in(description).as_deref(), Some("0.1.0"));
        for other in [
            "",
            r#"{"info":{"title":"Shop","version":"2"}}"#,
            r#"METAIA "version":7"#,
            r#"METAIA "version":"#,
        ] {
            assert_eq!(version_in(other), None, "{other}");
        }
        let long = format!(r#"METAIA "version":"{}""#, "9".repeat(MAX_VERSION + 1));
        assert_eq!(version_in(&long), None);
    }
}
