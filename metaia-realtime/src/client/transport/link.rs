//! The line to the server, which may change from polling to a WebSocket while it is in use.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::timeout;

use super::super::error::ConnectError;
use super::super::options::Transport;
use super::super::packet::{EnginePacket, Handshake};
use super::polling::Polling;
use super::websocket::WebSocket;
use super::{Endpoint, TransportError, chain};

/// How long a probe may take before the session stays with polling.
const PROBE: Duration = Duration::from_secs(10);

pub(crate) enum Link {
    WebSocket(WebSocket),
    Polling(Box<Polling>, Upgrade),
}

/// How far the change to a WebSocket is.
pub(crate) enum Upgrade {
    /// Not offered, not wanted, or it failed: polling remains.
    None,
    /// The WebSocket is being opened and probed, while polling goes on.
    Probing(BoxFuture<'static, Option<WebSocket>>),
    /// The probe has succeeded; the last GET is waited for, and the server answers it at once.
    Pausing(Option<WebSocket>),
    /// The server is being told to change over.
    Switching(BoxFuture<'static, Result<WebSocket, TransportError>>),
}

impl Link {
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

    /// The transport in use now.
    pub(crate) fn transport(&self) -> Transport {
        match self {
            Self::WebSocket(_) => Transport::WebSocket,
            Self::Polling(..) => Transport::Polling,
        }
    }

    /// The next packet. Cancel safe.
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

    /// Writes the last packets, an Engine.IO close and the transport's own goodbye, as far as that
    /// is possible.
    pub(crate) async fn close(&mut self, mut last: Vec<EnginePacket>) {
        last.push(EnginePacket::Close);
        if self.send(&last).await.is_ok()
            && let Self::WebSocket(websocket) = self
        {
            websocket.close().await;
        }
    }
}

/// Takes an upgrade one step further, or waits for packets by polling. Cancel safe: everything
/// begun is kept in `polling` and `upgrade`.
async fn advance(
    polling: &mut Polling,
    upgrade: &mut Upgrade,
) -> Result<Option<WebSocket>, TransportError> {
    match upgrade {
        Upgrade::None => polling.fill().await?,
        Upgrade::Probing(probe) => {
            tokio::select! {
                filled = polling.fill() => filled?,
                websocket = probe => *upgrade = websocket.map_or(Upgrade::None, |w| Upgrade::Pausing(Some(w))),
            }
        }
        Upgrade::Pausing(_) if polling.is_waiting() => polling.fill().await?,
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

async fn open_websocket(endpoint: &Endpoint) -> Result<(Link, Handshake), ConnectError> {
    let mut websocket = WebSocket::connect(endpoint, None).await?;
    let protocol = |reason: String| ConnectError::Protocol(reason);
    let first = websocket.recv().await.map_err(|error| match error {
        TransportError::Closed(reason) => protocol(reason),
        TransportError::Parse(error) => protocol(chain(&error)),
    })?;
    let EnginePacket::Open(json) = first else {
        return Err(protocol(
            "the first packet does not open a session".to_owned(),
        ));
    };
    let handshake = Handshake::decode(&json).map_err(|error| protocol(chain(&error)))?;
    Ok((Link::WebSocket(websocket), handshake))
}

/// A WebSocket on which the server has answered, or nothing: then polling goes on, as official
/// clients do.
async fn probe(endpoint: Endpoint, sid: String) -> Option<WebSocket> {
    let attempt = async {
        let websocket = WebSocket::connect(&endpoint, Some(&sid))
            .await
            .map_err(|error| chain(&error))?;
        websocket
            .probe()
            .await
            .map_err(|error| format!("{error:?}"))
    };
    let reason = match timeout(PROBE, attempt).await {
        Ok(Ok(websocket)) => return Some(websocket),
        Ok(Err(reason)) => reason,
        Err(_) => format!("no answer within {} ms", PROBE.as_millis()),
    };
    tracing::debug!(%reason, "the upgrade failed, polling goes on");
    None
}

async fn switch(mut websocket: WebSocket) -> Result<WebSocket, TransportError> {
    websocket.send(&[EnginePacket::Upgrade]).await?;
    Ok(websocket)
}
