//! One WebSocket to the server.

use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{Error, Message, client::IntoClientRequest as _, protocol::WebSocketConfig},
};

use super::{
    TransportError, endpoint::Endpoint, error_chain, max_packet, refused_upgrade::RestOfAnswer,
};
use crate::client::{error::ConnectError, packet::EnginePacket, server_date::ServerDate};

/// The size of the read buffer and of the write buffer, in bytes. The default of tungstenite is 128
/// KiB per connection.
const BUFFER_BYTES: usize = 4 * 1024;

#[derive(Debug)]
pub(crate) struct WebSocket {
    /// Boxed, since it is large and moves from one state of an upgrade to the next.
    stream: Box<WebSocketStream<MaybeTlsStream<TcpStream>>>,
}

impl WebSocket {
    /// Opens a WebSocket: a new session, or the upgrade of the session `sid`. Also returns the
    /// server's clock.
    pub(crate) async fn connect(
        endpoint: &Endpoint,
        sid: Option<&str>,
    ) -> Result<(Self, Option<ServerDate>), ConnectError> {
        let tcp = TcpStream::connect(endpoint.address())
            .await
            .map_err(|e| ConnectError::Unreachable(Box::new(e)))?;
        // Without it small frames wait for the acknowledgement of the server's kernel. That is
        // slower, but no reason to fail.
        let _ = tcp.set_nodelay(true);
        let mut url = endpoint.url("websocket", sid);
        let scheme = if endpoint.is_tls() { "wss" } else { "ws" };
        url.set_scheme(scheme)
            .map_err(|()| ConnectError::Invalid("the URL has no WebSocket form".to_owned()))?;
        let mut request = url.as_str().into_client_request().map_err(connect_error)?;
        request.headers_mut().extend(endpoint.headers.clone());
        let tls = if endpoint.is_tls() {
            Connector::Rustls(Arc::new(endpoint.tls()?))
        } else {
            Connector::Plain
        };
        let rest = RestOfAnswer::of(&tcp, endpoint.is_tls());
        let answer =
            client_async_tls_with_config(request, tcp, Some(config(endpoint)), Some(tls)).await;
        let (stream, response) = match answer {
            Ok(opened) => opened,
            Err(Error::Http(refused)) => return Err(rest.read(*refused).await),
            Err(error) => return Err(connect_error(error)),
        };
        let websocket = Self {
            stream: Box::new(stream),
        };
        Ok((websocket, ServerDate::now(response.headers())))
    }

    /// Checks that the upgraded connection works in both directions.
    pub(crate) async fn probe(mut self) -> Result<Self, TransportError> {
        self.send(&[EnginePacket::Ping("probe".to_owned())]).await?;
        match self.recv().await? {
            EnginePacket::Pong(answer) if answer == "probe" => Ok(self),
            other => Err(TransportError::Closed(format!(
                "unexpected answer to the probe: {other:?}"
            ))),
        }
    }

    /// Receives the next packet. Cancel safe.
    pub(crate) async fn recv(&mut self) -> Result<EnginePacket, TransportError> {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return Ok(EnginePacket::decode(text.as_str())?),
                Some(Ok(Message::Binary(bytes))) => return Ok(EnginePacket::Binary(bytes)),
                Some(Ok(Message::Close(frame))) => {
                    let frame = frame
                        .map_or_else(|| "no reason given".to_owned(), |frame| frame.to_string());
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

    /// Sends a WebSocket close frame and waits for that of the server.
    pub(crate) async fn close(&mut self) {
        if self.stream.close().await.is_ok() {
            while let Some(Ok(_)) = self.stream.next().await {}
        }
    }
}

fn config(endpoint: &Endpoint) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_message_size(Some(max_packet(endpoint)))
        .max_frame_size(Some(max_packet(endpoint)))
}

fn closed(error: &Error) -> TransportError {
    TransportError::Closed(error_chain(error))
}

fn connect_error(error: Error) -> ConnectError {
    match error {
        Error::Protocol(error) => ConnectError::Protocol(error.to_string()),
        Error::Url(error) => ConnectError::Invalid(error.to_string()),
        other => ConnectError::Unreachable(Box::new(other)),
    }
}
