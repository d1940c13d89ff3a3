//! The upgrade of a polling session to a WebSocket, up to the point at which the client switches.
//!
//! The client sends `2probe` over the WebSocket and waits for `3probe`. Then it waits for its last
//! poll, which is answered with a NOOP if there is nothing else for it, and sends `5`. Until then
//! the session goes on polling: whatever happens to the WebSocket, nothing is lost, and the client
//! that gets no answer, or does not come so far within [`TIMEOUT`], stays where it is.

use std::{sync::Arc, time::Duration};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::protocol::frame::coding::Control;

use crate::transport::socketio::{
    link::Link,
    upgrade_state::UpgradeStage,
    websocket::{FrameReader, Message, server_control, server_text},
};

/// The time that a client has for an upgrade, as in the official server.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The most bytes that a client may send before it switches: its two packets, and some pings.
const MAX_PROBE_BYTES: usize = 4 * 1024;

/// The time in which a client that has failed is told so.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(100);

/// One attempt to upgrade a session. It has failed if it is dropped before the client has switched.
pub(super) struct UpgradeAttempt(Arc<Link>);

impl UpgradeAttempt {
    /// Begins an attempt for the session of `link`. Returns `None` if another one is under way, or
    /// has succeeded.
    pub(super) fn begin(link: &Arc<Link>) -> Option<Self> {
        link.upgrade.begin().then(|| Self(Arc::clone(link)))
    }

    /// Talks to the client over its WebSocket. Returns the reader, with what the client has sent
    /// behind, once the client has switched to the WebSocket; `None` if it does not.
    pub(super) async fn probe<S>(self, stream: &mut S, max_bytes: usize) -> Option<FrameReader>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut probe = ProbedSocket {
            stream,
            reader: FrameReader::new(max_bytes),
            bytes: 0,
        };
        let upgrade = &self.0.upgrade;
        let switched = async {
            probe.expect("2probe").await?;
            probe.write(&server_text("3probe")).await?;
            upgrade.set(UpgradeStage::Probed);
            probe.expect("5").await
        };
        let switched = tokio::select! {
            biased;
            // The session has ended.
            () = upgrade.closed() => return None,
            switched = tokio::time::timeout(TIMEOUT, switched) => switched.ok().flatten(),
        };
        if switched.is_some() {
            upgrade.set(UpgradeStage::Switched);
            return Some(probe.reader);
        }
        // Polls are answered as before from here on, also while the client is told.
        upgrade.set(UpgradeStage::Opened);
        let close = server_control(Control::Close, &[]);
        tokio::time::timeout(CLOSE_TIMEOUT, probe.write(&close))
            .await
            .ok();
        None
    }
}

impl Drop for UpgradeAttempt {
    fn drop(&mut self) {
        self.0.upgrade.abandon();
    }
}

/// The WebSocket before the client has switched to it.
struct ProbedSocket<'a, S> {
    stream: &'a mut S,
    reader: FrameReader,
    /// Bytes that have come.
    bytes: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> ProbedSocket<'_, S> {
    /// Waits for this packet. Returns `None` if another one comes, or the WebSocket ends.
    async fn expect(&mut self, packet: &str) -> Option<()> {
        loop {
            match self.message().await? {
                Message::Text(text) => return (text == packet).then_some(()),
                Message::Control(Control::Ping, payload) => {
                    self.write(&server_control(Control::Pong, &payload)).await?;
                }
                Message::Control(Control::Pong, _) => {}
                Message::Control(..) | Message::Binary => return None,
            }
        }
    }

    async fn message(&mut self) -> Option<Message> {
        let mut bytes = [0; 512];
        loop {
            if let Some(message) = self.reader.next().ok()? {
                return Some(message);
            }
            let read = self.stream.read(&mut bytes).await.ok()?;
            self.bytes += read;
            if read == 0 || self.bytes > MAX_PROBE_BYTES {
                return None;
            }
            self.reader.feed(&bytes[..read]);
        }
    }

    async fn write(&mut self, frame: &[u8]) -> Option<()> {
        self.stream.write_all(frame).await.ok()?;
        self.stream.flush().await.ok()
    }
}
