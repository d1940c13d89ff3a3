//! The WebSocket handshake, and the ways in which the server can refuse it.

use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::{Error, client::IntoClientRequest, http::HeaderValue};

use super::Phone;
use crate::eventually::within;
use crate::server::Listening;

/// The response that refused a WebSocket handshake.
#[derive(Debug, Clone)]
pub struct HandshakeRefusal {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`, if given.
    pub retry_after: Option<String>,
    /// `Content-Type`, if given.
    pub content_type: Option<String>,
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
        match Self::dial(server, headers).await {
            Ok(mut phone) => {
                let open = within("the open packet", phone.packet())
                    .await
                    .unwrap_or_default();
                assert!(
                    open.starts_with('0'),
                    "expected the open packet, got {open:?}"
                );
                Ok(phone)
            }
            Err(Error::Http(response)) => Err(HandshakeRefusal {
                status: response.status().as_u16(),
                retry_after: text_of(response.headers().get("retry-after")),
                content_type: text_of(response.headers().get("content-type")),
            }),
            Err(error) => panic!("the handshake failed: {error}"),
        }
    }

    /// Opens the transport of a server that may stop at any moment. Returns `None` if the server is
    /// gone.
    pub async fn try_open(server: &impl Listening) -> Option<Self> {
        let mut phone = Self::dial(server, &[]).await.ok()?;
        let open = within("the open packet", phone.packet()).await?;
        if !open.starts_with('0') {
            return None;
        }
        Some(phone)
    }

    async fn dial(
        server: &impl Listening,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Error> {
        let address = server.url().replacen("http", "ws", 1);
        let url = format!("{address}/socket.io/?EIO=4&transport=websocket");
        let mut request = url.into_client_request().expect("a request");
        for (name, value) in headers {
            request
                .headers_mut()
                .insert(*name, HeaderValue::from_str(value).expect("a header value"));
        }
        let (socket, _) = within("the WebSocket handshake", connect_async(request)).await?;
        Ok(Self {
            socket,
            seen: Default::default(),
            acks: Vec::new(),
            next_ack: 0,
        })
    }
}

fn text_of(value: Option<&HeaderValue>) -> Option<String> {
    Some(value?.to_str().ok()?.to_owned())
}
