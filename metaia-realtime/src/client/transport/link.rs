//! The link to the server, which may change from polling to a WebSocket while it is in use.

use std::time::Duration;

use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::time::timeout;

use super::{Endpoint, TransportError, error_chain, polling::Polling, websocket::WebSocket};
use crate::client::{
    error::ConnectError,
    options::Transport,
    packet::{EnginePacket, Handshake},
};

/// The time that opening and probing a WebSocket may take. After it the session stays with polling.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) enum ServerLink {
    WebSocket(WebSocket),
    Polling(Box<Polling>, Upgrade),
}

/// The progress of the change to a WebSocket.
pub(crate) enum Upgrade {
    /// The upgrade was not offered, not wanted, or it failed. The session stays with polling.
    None,
    /// The WebSocket is being opened and probed, while polling continues.
    Probing(BoxFuture<'static, Option<WebSocket>>),
    /// The probe has succeeded. The client waits for the last GET, which the server answers at
    /// once.
    Pausing(Option<WebSocket>),
    /// The client is telling the server to switch.
    Switching(BoxFuture<'static, Result<WebSocket, TransportError>>),
}

impl ServerLink {
    /// Opens a session.
    pub(crate) async fn open(
        endpoint: &Endpoint,
        transport: Transport,
    ) -> Result<(Self, Handshake), ConnectError> {
        if transport == Transport::WebSocket {
            return open_websocket(endpoint).await;
        }
        let (polling, handshake) = Polling::connect(endpoint).await?;
        let upgrade = if transport == Transport::Upgrade && handshake.offers_websocket() {
            Upgrade::Probing(probe(endpoint.clone(), handshake.sid.clone()).boxed())
        } else {
            Upgrade::None
        };
        Ok((Self::Polling(Box::new(polling), upgrade), handshake))
    }

    /// Returns the transport in use.
    pub(crate) fn transport(&self) -> Transport {
        match self {
            Self::WebSocket(_) => Transport::WebSocket,
            Self::Polling(..) => Transport::Polling,
        }
    }

    /// Receives the next packet. Cancel safe.
    pub(crate) async fn recv(&mut self) -> Result<EnginePacket, TransportError> {
        loop {
            match self {
                Self::WebSocket(websocket) => return websocket.recv().await,
                Self::Polling(polling, upgrade) => {
                    if let Some(packet) = polling.pop() {
                        return Ok(packet);
                    }
                    if let Some(websocket) = advance(polling, upgrade).await? {
                        *self = Self::WebSocket(websocket);
                    }
                }
            }
        }
    }

    /// Writes the packets in order. Not cancel safe.
    pub(crate) async fn send(&mut self, packets: &[EnginePacket]) -> Result<(), TransportError> {
        if let Self::Polling(_, Upgrade::Switching(switch)) = self {
            let websocket = switch.await?;
            *self = Self::WebSocket(websocket);
        }
        match self {
            Self::WebSocket(websocket) => websocket.send(packets).await,
            Self::Polling(polling, _) => polling.send(packets).await,
        }
    }

    /// Writes the last packet, then an Engine.IO close and the transport's own close. Ignores
    /// errors.
    ///
    /// Over polling they are two requests: a Node server handles an Engine.IO close before the
    /// other packets of its request.
    pub(crate) async fn close(&mut self, last: Option<EnginePacket>) {
        for packet in last.into_iter().chain([EnginePacket::Close]) {
            if self.send(&[packet]).await.is_err() {
                return;
            }
        }
        if let Self::WebSocket(websocket) = self {
            websocket.close().await;
        }
    }
}

/// Advances an upgrade by one step, or waits for packets by polling. Returns the WebSocket once the
/// upgrade is complete. Cancel safe: `polling` and `upgrade` keep every future that has begun.
async fn advance(
    polling: &mut Polling,
    upgrade: &mut Upgrade,
) -> Result<Option<WebSocket>, TransportError> {
    match upgrade {
        Upgrade::None => polling.fill().await?,
        Upgrade::Probing(probe) => {
            tokio::select! {
                filled = polling.fill() => filled?,
                websocket = probe => {
                    *upgrade = match websocket {
                        Some(websocket) => Upgrade::Pausing(Some(websocket)),
                        None => Upgrade::None,
                    };
                }
            }
        }
        Upgrade::Pausing(_) if polling.is_polling() => polling.fill().await?,
        Upgrade::Pausing(websocket) => {
            *upgrade = match websocket.take() {
                Some(websocket) => Upgrade::Switching(switch(websocket).boxed()),
                None => Upgrade::None,
            };
        }
        Upgrade::Switching(switch) => return switch.await.map(Some),
    }
    Ok(None)
}

async fn open_websocket(endpoint: &Endpoint) -> Result<(ServerLink, Handshake), ConnectError> {
    let mut websocket = WebSocket::connect(endpoint, None).await?;
    let first = websocket.recv().await.map_err(|error| match error {
        TransportError::Closed(reason) => ConnectError::Protocol(reason),
        TransportError::Parse(error) => ConnectError::Protocol(error_chain(&error)),
    })?;
    let EnginePacket::Open(json) = first else {
        return Err(ConnectError::Protocol(
            "the first packet does not open a session".to_owned(),
        ));
    };
    let handshake =
        Handshake::decode(&json).map_err(|error| ConnectError::Protocol(error_chain(&error)))?;
    Ok((ServerLink::WebSocket(websocket), handshake))
}

/// Opens a WebSocket and probes it. Returns `None` if that fails: the session then stays with
/// polling, as with official clients.
async fn probe(endpoint: Endpoint, sid: String) -> Option<WebSocket> {
    let attempt = async {
        let websocket = WebSocket::connect(&endpoint, Some(&sid))
            .await
            .map_err(|error| error_chain(&error))?;
        websocket
            .probe()
            .await
            .map_err(|error| format!("{error:?}"))
    };
    let reason = match timeout(PROBE_TIMEOUT, attempt).await {
        Ok(Ok(websocket)) => return Some(websocket),
        Ok(Err(reason)) => reason,
        Err(_) => format!("no answer within {} ms", PROBE_TIMEOUT.as_millis()),
    };
    tracing::debug!(%reason, "the upgrade failed, polling continues");
    None
}

async fn switch(mut websocket: WebSocket) -> Result<WebSocket, TransportError> {
    websocket.send(&[EnginePacket::Upgrade]).await?;
    Ok(websocket)
}
