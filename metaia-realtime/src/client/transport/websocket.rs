//! One WebSocket to the server.

use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        protocol::{Role, WebSocketConfig},
    },
};

use super::{
    TransportError, endpoint::Endpoint, error_chain, frame_skimmer::LARGE_MARK, max_kept,
    refused_upgrade::RestOfAnswer, skimmed_stream::SkimmedStream,
};
use crate::client::{error::ConnectError, packet::EnginePacket, server_date::ServerDate};

/// The size of the read buffer and of the write buffer, in bytes. The default of tungstenite is 128
/// KiB per connection.
const BUFFER_BYTES: usize = 4 * 1024;

/// A WebSocket after its handshake.
type OpenedStream = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[derive(Debug)]
pub(crate) struct WebSocket {
    /// Boxed, since it is large and moves from one state of an upgrade to the next.
    stream: Box<WebSocketStream<SkimmedStream<MaybeTlsStream<TcpStream>>>>,
}

impl WebSocket {
    /// Opens a WebSocket with a new session. Also returns the first packet, and the server's clock.
    pub(crate) async fn open(
        endpoint: &Endpoint,
    ) -> Result<(Self, EnginePacket, Option<ServerDate>), ConnectError> {
        let (mut connection, date) = connect(endpoint, None).await?;
        let first = receive(&mut connection).await.and_then(decode);
        let first = first.map_err(|error| match error {
            TransportError::Closed(reason) => ConnectError::Protocol(reason),
            TransportError::Parse(error) => ConnectError::Protocol(error_chain(&error)),
        })?;
        Ok((Self::new(connection, endpoint).await, first, date))
    }

    /// Opens a WebSocket for the upgrade of the session `sid`.
    pub(crate) async fn open_upgrade(endpoint: &Endpoint, sid: &str) -> Result<Self, ConnectError> {
        let (connection, _date) = connect(endpoint, Some(sid)).await?;
        Ok(Self::new(connection, endpoint).await)
    }

    /// Returns a WebSocket that reduces large messages. The bytes that tungstenite has read ahead
    /// are dropped. There are none, since the server waits for the client after the packet that
    /// opens a session, and before the probe of an upgrade. A server with Engine.IO's option
    /// `initialPacket` does not wait: that packet is lost.
    async fn new(connection: OpenedStream, endpoint: &Endpoint) -> Self {
        let skimmed = SkimmedStream::new(connection.into_inner(), max_kept(endpoint));
        let config = Some(config(endpoint));
        let stream = WebSocketStream::from_raw_socket(skimmed, Role::Client, config).await;
        Self {
            stream: Box::new(stream),
        }
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
        let message = receive(&mut self.stream).await?;
        if matches!(&message, Message::Text(text) if text.as_str() == LARGE_MARK)
            && let Some(large) = self.stream.get_mut().next_large()
        {
            return Ok(large);
        }
        decode(message)
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

/// Makes the handshake. Also returns the server's clock.
async fn connect(
    endpoint: &Endpoint,
    sid: Option<&str>,
) -> Result<(OpenedStream, Option<ServerDate>), ConnectError> {
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
    match answer {
        Ok((connection, response)) => Ok((connection, ServerDate::now(response.headers()))),
        Err(Error::Http(refused)) => Err(rest.read(*refused).await),
        Err(error) => Err(connect_error(error)),
    }
}

/// Receives the next text or binary message. Cancel safe.
async fn receive<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut WebSocketStream<S>,
) -> Result<Message, TransportError> {
    loop {
        match stream.next().await {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => return Ok(message),
            Some(Ok(Message::Close(frame))) => {
                let frame =
                    frame.map_or_else(|| "no reason given".to_owned(), |frame| frame.to_string());
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

fn decode(message: Message) -> Result<EnginePacket, TransportError> {
    match message {
        Message::Text(text) => Ok(EnginePacket::decode(text.as_str())?),
        other => Ok(EnginePacket::Binary(other.into_data())),
    }
}

fn config(endpoint: &Endpoint) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_message_size(Some(max_kept(endpoint)))
        .max_frame_size(Some(max_kept(endpoint)))
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
