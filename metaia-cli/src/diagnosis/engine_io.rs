//! Refusals of Engine.IO. Each has a number, the same at every server of this protocol.

use super::fault::{Asked, Via};
use super::reply::Reason;

const ONE_NODE_PER_SESSION: &str = "\
the proxy sends the requests of one session to several nodes, or the node was started anew. \
Sticky sessions in nginx, in the upstream of /socket.io/:
  hash $remote_addr consistent;
or let clients use WebSockets alone: transports: [\"websocket\"], --transport websocket";

const WEBSOCKETS_ALONE: &str = "\
METAIA_TRANSPORTS of the server leaves polling out: use WebSockets alone, by \
transports: [\"websocket\"] in the client, --transport websocket of metaia";

const PASS_THE_QUERY: &str = "\
something between drops or changes the query of the address (?EIO=4&transport=…). In nginx, the \
address of proxy_pass has no $uri, and no path:
  proxy_pass http://127.0.0.1:5000;";

/// Returns what to do about a refusal of Engine.IO.
pub(super) fn advice(asked: &Asked, reason: &Reason) -> Option<&'static str> {
    match reason.code.as_deref() {
        // The request of metaia names a transport and the version, and is a GET.
        Some("0" | "2" | "5") => Some(PASS_THE_QUERY),
        Some("1") => Some(ONE_NODE_PER_SESSION),
        // The request of metaia itself is a good one.
        Some("3") if asked.via == Via::Polling => Some(WEBSOCKETS_ALONE),
        _ => None,
    }
}
