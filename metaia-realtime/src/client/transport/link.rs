//! The link to the server, which may change from polling to a WebSocket while it is in use.

use std::time::Duration;

use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::time::timeout;

use super::{Endpoint, TransportError, error_chain, polling::Polling, websocket::WebSocket};
use crate::client::{
    error::{ConnectError, DisconnectReason},
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
    /// The upgrade is not wanted, or it failed. The session stays with polling.
    None,
    /// The upgrade was not offered, or it failed, and the application does not know yet. The text
    /// says why.
    Failed(String),
    /// The WebSocket is being opened and probed, while polling continues.
    Probing(BoxFuture<'static, Result<WebSocket, String>>),
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
        let upgrade = if transport != Transport::Upgrade {
            Upgrade::None
        } else if handshake.offers_websocket() {
            Upgrade::Probing(probe(endpoint.clone(), handshake.sid.clone()).boxed())
        } else {
            Upgrade::Failed("the server does not offer a WebSocket".to_owned())
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

    /// Returns why the upgrade failed, once.
    pub(crate) fn take_upgrade_failure(&mut self) -> Option<String> {
        let Self::Polling(_, upgrade) = self else {
            return None;
        };
        match std::mem::replace(upgrade, Upgrade::None) {
            Upgrade::Failed(reason) => Some(reason),
            other => {
                *upgrade = other;
                None
            }
        }
    }

    /// Receives the next packet; a `noop` if only the transport has changed, or will not change.
    /// Cancel safe.
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
                        return Ok(EnginePacket::Noop);
                    }
                    if matches!(upgrade, Upgrade::Failed(_)) && polling.is_empty() {
                        return Ok(EnginePacket::Noop);
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
        Upgrade::None | Upgrade::Failed(_) => polling.fill().await?,
        Upgrade::Probing(probe) => {
            tokio::select! {
                filled = polling.fill() => filled?,
                websocket = probe => {
                    *upgrade = match websocket {
                        Ok(websocket) => Upgrade::Pausing(Some(websocket)),
                        Err(reason) => Upgrade::Failed(reason),
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
    let (websocket, first, date) = WebSocket::open(endpoint).await?;
    let EnginePacket::Open(json) = first else {
        return Err(ConnectError::Protocol(
            "the first packet does not open a session".to_owned(),
        ));
    };
    let mut handshake =
        Handshake::decode(&json).map_err(|error| ConnectError::Protocol(error_chain(&error)))?;
    handshake.date = date;
    Ok((ServerLink::WebSocket(websocket), handshake))
}

/// Opens a WebSocket and probes it. If that fails, it returns why: the session then stays with
/// polling, as with official clients.
async fn probe(endpoint: Endpoint, sid: String) -> Result<WebSocket, String> {
    let attempt = async {
        let websocket = WebSocket::open_upgrade(&endpoint, &sid)
            .await
            .map_err(|error| error_chain(&error))?;
        websocket
            .probe()
            .await
            .map_err(|error| DisconnectReason::from(error).detail())
    };
    let probed = match timeout(PROBE_TIMEOUT, attempt).await {
        Ok(probed) => probed,
        Err(_) => Err(format!("no answer within {} ms", PROBE_TIMEOUT.as_millis())),
    };
    if let Err(reason) = &probed {
        tracing::debug!(%reason, "the upgrade failed, polling continues");
    }
    probed
}

async fn switch(mut websocket: WebSocket) -> Result<WebSocket, TransportError> {
    websocket.send(&[EnginePacket::Upgrade]).await?;
    Ok(websocket)
}
