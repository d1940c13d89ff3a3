//! The handshakes, and the ways in which the server can refuse them.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::{Error, client::IntoClientRequest, http::HeaderValue};

use super::Phone;
use super::line::Line;
use super::polling::PollingSession;
use crate::clients::way::Way;
use crate::eventually::within;
use crate::server::Listening;

/// The response that refused a handshake.
#[derive(Debug, Clone)]
pub struct HandshakeRefusal {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`, if given.
    pub retry_after: Option<String>,
    /// `Content-Type`, if given.
    pub content_type: Option<String>,
}

impl HandshakeRefusal {
    pub(super) fn of(status: StatusCode, headers: &HeaderMap) -> Self {
        let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
        Self {
            status: status.as_u16(),
            retry_after: text("retry-after"),
            content_type: text("content-type"),
        }
    }
}

impl Phone {
    /// Opens the transport and sends no CONNECT.
    pub async fn open(server: &impl Listening) -> Self {
        let opened = Self::open_with(server, &[]).await;
        opened.unwrap_or_else(|refusal| panic!("the handshake was refused: {refusal:?}"))
    }

    /// Opens the transport with these headers.
    pub async fn open_with(
        server: &impl Listening,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, HandshakeRefusal> {
        let opened = Self::dial(server, headers).await;
        opened.expect("the server answers the handshake")
    }

    /// Opens the transport of a server that may stop at any moment. Returns `None` if the server is
    /// gone.
    pub async fn try_open(server: &impl Listening) -> Option<Self> {
        Self::dial(server, &[]).await?.ok()
    }

    /// Makes the handshake of the server's way. Returns `None` if the server is gone.
    async fn dial(
        server: &impl Listening,
        headers: &[(&'static str, &str)],
    ) -> Option<Result<Self, HandshakeRefusal>> {
        let opened = match server.way() {
            Way::WebSocket => open_websocket(server, headers).await?,
            Way::Upgraded => open_polling(server, headers).await?.map(Line::upgrading),
            Way::Polling => open_polling(server, headers).await?.map(Line::polling),
        };
        Some(opened.map(|line| Self {
            line,
            seen: Default::default(),
            acks: Vec::new(),
            next_ack: 0,
        }))
    }
}

/// Opens a WebSocket, and reads the open packet. Returns `None` if the server is gone.
async fn open_websocket(
    server: &impl Listening,
    headers: &[(&'static str, &str)],
) -> Option<Result<Line, HandshakeRefusal>> {
    let address = server.url().replacen("http", "ws", 1);
    let url = format!("{address}/socket.io/?EIO=4&transport=websocket");
    let request = websocket_request(&url, headers.iter().copied());
    match within("the WebSocket handshake", connect_async(request)).await {
        Ok((socket, _)) => {
            let mut line = Line::websocket(socket);
            let open = within("the open packet", line.next()).await?;
            assert!(
                open.starts_with('0'),
                "expected the open packet, got {open:?}"
            );
            Some(Ok(line))
        }
        Err(Error::Http(response)) => {
            let refusal = HandshakeRefusal::of(response.status(), response.headers());
            Some(Err(refusal))
        }
        Err(_) => None,
    }
}

/// Makes the handshake of polling. Returns `None` if the server is gone.
async fn open_polling(
    server: &impl Listening,
    headers: &[(&'static str, &str)],
) -> Option<Result<PollingSession, HandshakeRefusal>> {
    let opening = PollingSession::open(server, headers);
    within("the polling handshake", opening).await
}

/// Returns the request of a WebSocket handshake. These headers replace those of the same name, and
/// several of one name are all sent.
pub(super) fn websocket_request<'a>(
    url: &str,
    headers: impl IntoIterator<Item = (&'static str, &'a str)>,
) -> Request {
    let mut given = HeaderMap::new();
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).expect("a header value");
        given.append(name, value);
    }
    let mut request = url.into_client_request().expect("a request");
    request.headers_mut().extend(given);
    request
}
