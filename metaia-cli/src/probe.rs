//! Sends further requests after a failure, to find its cause.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};

use crate::diagnosis::{Asked, Fault, Probe, ProbeResult, probes, request_fault};
use crate::exit::Failure;
use crate::network::{Network, bare_http};
use crate::reply_reader::read_reply;

/// The time that one probe may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";

/// Sends the probes that may explain the fault, until one has an answer.
pub(crate) async fn probe(network: &Network, asked: &Asked, fault: &Fault) -> ProbeResult {
    for look in probes(asked, fault) {
        // A client that cannot be created answers nothing.
        if let Ok(Some(answer)) = ask(network, asked, *look).await {
            return answer;
        }
    }
    ProbeResult::Nothing
}

async fn ask(
    network: &Network,
    asked: &Asked,
    look: Probe,
) -> Result<Option<ProbeResult>, Failure> {
    let base = &asked.base;
    Ok(match look {
        Probe::Tls => {
            let http = bare_http(PROBE_TIMEOUT)?;
            let url = base.replacen("http:", "https:", 1);
            let answer = http.get(url).send().await;
            speaks_tls(&answer).then_some(ProbeResult::SpeaksTls)
        }
        Probe::PlainHttp => {
            let http = bare_http(PROBE_TIMEOUT)?;
            let url = base.replacen("https:", "http:", 1);
            let answer = http.get(url).send().await.ok();
            // A port that speaks TLS answers 400 to plain HTTP.
            let plain = answer.filter(|answer| answer.status() != StatusCode::BAD_REQUEST);
            plain.map(|_| ProbeResult::SpeaksPlainHttp)
        }
        // These two go where the failed request went, by the same scheme and with the same checks:
        // its headers lead them through the same proxy.
        Probe::Polling => poll(&network.http(PROBE_TIMEOUT)?, base).await,
        Probe::Clock => {
            let http = network.http(PROBE_TIMEOUT)?;
            let answer = http.get(format!("{base}/livez")).send().await;
            read_if_answered(answer).await
        }
    })
}

/// Returns whether an answer, or what came instead of one, came by TLS.
fn speaks_tls(answer: &reqwest::Result<Response>) -> bool {
    match answer {
        Ok(_) => true,
        // TLS was refused by its own means.
        Err(error) if error.is_connect() => {
            let fault = request_fault(error, PROBE_TIMEOUT);
            matches!(fault, Fault::Tls(_) | Fault::Certificate(_))
        }
        // What failed came after TLS.
        Err(error) => !error.is_timeout(),
    }
}

/// Opens a polling session, and closes it.
async fn poll(http: &Client, base: &str) -> Option<ProbeResult> {
    let url = format!("{base}{HANDSHAKE}");
    let answer = read_if_answered(http.get(&url).send().await).await?;
    if let ProbeResult::Reply(reply) = &answer
        && let Some(sid) = session_id(&reply.body)
    {
        let closing = http.post(format!("{url}&sid={sid}")).body("1").send();
        // The server ends the session by itself if it does not hear this.
        let _ = closing.await;
    }
    Some(answer)
}

/// Returns the session that the answer opens.
pub(crate) fn session_id(body: &str) -> Option<String> {
    let open: serde_json::Value = serde_json::from_str(body.strip_prefix('0')?).ok()?;
    open.get("sid")?.as_str().map(str::to_owned)
}

async fn read_if_answered(answer: reqwest::Result<Response>) -> Option<ProbeResult> {
    match answer {
        Ok(response) => {
            let reply = read_reply(response, PROBE_TIMEOUT).await.ok()?;
            Some(ProbeResult::Reply(reply))
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_found_in_its_open_packet() {
        let open = r#"0{"sid":"abc","upgrades":["websocket"],"pingInterval":25000}"#;
        assert_eq!(session_id(open).as_deref(), Some("abc"));
        for body in ["", "0", "0{}", "<html>", "4{\"sid\":\"a\"}"] {
            assert_eq!(session_id(body), None, "{body:?}");
        }
    }
}
