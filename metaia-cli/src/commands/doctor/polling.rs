//! A session by polling: its handshake, its further requests, its upgrade.

use std::time::Duration;

use tokio::time::Instant;

use super::visit::Visit;
use super::websocket;
use crate::diagnosis::Fault;
use crate::doctor::Polled;
use crate::probe::session_id;

pub(super) const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";

/// The number of further requests. If a proxy sends each request to the next of two nodes, one of
/// them is at the wrong node in any case; if it selects the nodes at random, fifteen times of
/// sixteen.
const FURTHER_REQUESTS: usize = 4;

/// The age up to which a session is used. The server ends one without a CONNECT after 5 s, which
/// says nothing about a line that is merely slow.
const USED_FOR: Duration = Duration::from_millis(2_500);

/// The packets of Engine.IO: a server drops a pong for which it did not wait.
const PONG: &str = "3";
const CLOSE: &str = "1";

/// Opens a session, keeps it for some requests, upgrades it, and closes it.
pub(super) async fn poll(visit: &Visit<'_>) -> Polled {
    let began = Instant::now();
    let opened = visit.attempt(visit.get(HANDSHAKE)).await;
    let packet = opened.value.as_ref().map_or("", |reply| &reply.body);
    let offers_websocket = packet.contains("\"websocket\"");
    let Some(sid) = session_id(packet) else {
        return Polled {
            opened,
            kept: Ok(()),
            upgraded: None,
        };
    };
    let path = format!("{HANDSHAKE}&sid={sid}");
    let kept = visit.attempt(keep(visit, &path, began)).await.value;
    let is_usable = kept.is_ok() && began.elapsed() < USED_FOR;
    let upgraded = if offers_websocket && is_usable {
        Some(visit.attempt(websocket::upgrade(visit, &sid)).await.value)
    } else {
        None
    };
    close(visit, &path).await;
    Polled {
        opened,
        kept,
        upgraded,
    }
}

/// Sends further requests in a session that has begun at this time.
async fn keep(visit: &Visit<'_>, path: &str, began: Instant) -> Result<(), Fault> {
    for n in 0..FURTHER_REQUESTS {
        if n > 0 && began.elapsed() > USED_FOR {
            break;
        }
        let request = visit.http.post(visit.url(path)).body(PONG);
        let reply = visit.send(request).await?;
        if reply.status != 200 {
            return Err(Fault::Reply(reply));
        }
    }
    Ok(())
}

/// Closes a session. The server ends it by itself if it does not get this.
pub(super) async fn close(visit: &Visit<'_>, path: &str) {
    let request = visit.http.post(visit.url(path)).body(CLOSE);
    let _ = visit.attempt(visit.send(request)).await;
}
