//! One WebSocket.

use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

use super::super::error::ConnectError;
use super::super::packet::EnginePacket;
use super::endpoint::{Endpoint, http_error};
use super::{TransportError, tls};

/// tungstenite's own default, 128 KiB, is allocated per connection.
const BUFFER: usize = 4 * 1024;

#[derive(Debug)]
pub(crate) struct WebSocket {
    /// Boxed: it is large, and moved from one state of an upgrade to the next.
    stream: Box<WebSocketStream<MaybeTlsStream<TcpStream>>>,
}

impl WebSocket {
    /// Opens a WebSocket: a new session, or the upgrade of the session `sid`.
    pub(crate) async fn connect(
        endpoint: &Endpoint,
        sid: Option<&str>,
    ) -> Result<Self, ConnectError> {
        let tcp = TcpStream::connect(endpoint.address())
            .await
            .map_err(|e| ConnectError::Unreachable(Box::new(e)))?;
        // Without it small frames wait for the other side's acknowledgement; where it fails they
        // merely do.
        let _ = tcp.set_nodelay(true);
        let mut url = endpoint.url("websocket", sid);
        let scheme = if endpoint.is_tls() { "wss" } else { "ws" };
        url.set_scheme(scheme)
            .map_err(|()| ConnectError::Invalid("the URL has no WebSocket form".to_owned()))?;
        let mut request = url.as_str().into_client_request().map_err(refusal)?;
        request.headers_mut().extend(endpoint.headers.clone());
        let tls = if endpoint.is_tls() {
            Connector::Rustls(Arc::new(tls::config(true)?))
        } else {
            Connector::Plain
        };
        let answer =
            client_async_tls_with_config(request, tcp, Some(config(endpoint)), Some(tls)).await;
        let (stream, _response) = answer.map_err(refusal)?;
        Ok(Self {
            stream: Box::new(stream),
        })
    }

    /// Proves that the upgraded line works, in both directions.
    pub(crate) async fn probe(mut self) -> Result<Self, TransportError> {
        self.send(&[EnginePacket::Ping("probe".to_owned())]).await?;
        match self.recv().await? {
            EnginePacket::Pong(answer) if answer == "probe" => Ok(self),
            other => Err(TransportError::Closed(format!(
                "the probe was answered by {other:?}"
            ))),
        }
    }

    /// The next packet. Cancel safe.
    pub(crate) async fn recv(&mut self) -> Result<EnginePacket, TransportError> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(EnginePacket::decode(text.as_str())?),
                Some(Ok(Message::Binary(bytes))) => return Ok(EnginePacket::Binary(bytes)),
                Some(Ok(Message::Close(frame))) => {
                    let frame = frame
                        .map_or_else(|| "without a reason".to_owned(), |frame| frame.to_string());
                    return Err(TransportError::Closed(format!(
                        "the server closed the WebSocket: {frame}"
                    )));
                }
                // tungstenite answers pings itself.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return Err(closed(&error)),
                None => return Err(TransportError::Closed("the connection ended".to_owned())),
            }
        }
    }

    /// Writes the packets with one flush.
    pub(crate) async fn send(&mut self, packets: &[EnginePacket]) -> Result<(), TransportError> {
        for packet in packets {
            let message = match packet {
                EnginePacket::Binary(bytes) => Message::Binary(bytes.clone()),
                text => Message::text(text.encode()),
            };
            self.stream
                .feed(message)
                .await
                .map_err(|error| closed(&error))?;
        }
        self.stream.flush().await.map_err(|error| closed(&error))
    }

    /// Says goodbye on the WebSocket level and waits for the server's goodbye.
    pub(crate) async fn close(&mut self) {
        if self.stream.close().await.is_ok() {
            while let Some(Ok(_)) = self.stream.next().await {}
        }
    }
}

fn config(endpoint: &Endpoint) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(Some(endpoint.max_message))
        .max_frame_size(Some(endpoint.max_message))
}

fn closed(error: &Error) -> TransportError {
    TransportError::Closed(super::chain(error))
}

fn refusal(error: Error) -> ConnectError {
    match error {
        Error::Http(response) => {
            let body = response.body().as_deref().unwrap_or_default();
            http_error(response.status().as_u16(), response.headers(), body)
        }
        Error::Protocol(error) => ConnectError::Protocol(error.to_string()),
        Error::Url(error) => ConnectError::Invalid(error.to_string()),
        other => ConnectError::Unreachable(Box::new(other)),
    }
}
