//! Connections that are answered 503 and closed because there are too many.
//!
//! Each is answered in a task of its own, so that accepting never waits for a peer. The number of
//! such tasks is limited, too; beyond it a connection is closed without an answer.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_util::task::TaskTracker;

use super::surplus::Surplus;
use crate::{
    node::{ClientDescription, Counters, HandshakeRefusal},
    transport::socketio::too_many_connections,
};

/// The most connections that are being rejected at a time.
const MAX_REJECTIONS: usize = 64;

/// The time that one rejection may take.
const REJECTION_TIMEOUT: Duration = Duration::from_secs(1);

/// The most bytes that are read of a rejected request.
const MAX_REJECTED_REQUEST_BYTES: u64 = 64 * 1024;

/// The rejections under way. A handle: clones share them.
#[derive(Debug, Clone)]
pub(super) struct Rejections {
    counters: Arc<Counters>,
    tasks: TaskTracker,
}

impl Rejections {
    pub(super) fn new(counters: Arc<Counters>) -> Self {
        Self {
            counters,
            tasks: TaskTracker::new(),
        }
    }

    /// Counts a connection as refused.
    pub(super) fn count(&self) {
        let refusal = HandshakeRefusal::TooManyConnections;
        // The request is not read: nothing is known of the client.
        self.counters
            .refuse_handshake(refusal, ClientDescription::default());
    }

    /// Counts the connection as refused, and answers it 503.
    pub(super) fn reject(&self, surplus: Surplus) {
        self.count();
        if self.tasks.len() >= MAX_REJECTIONS {
            return;
        }
        self.tasks.spawn(async move {
            // A peer that does not take the answer in time is disconnected without it.
            tokio::time::timeout(REJECTION_TIMEOUT, send_rejection(surplus.stream))
                .await
                .ok()
        });
    }
}

/// Sends the 503, then reads the request until the client closes.
///
/// The request must be read: closing a connection with unread bytes makes the kernel reset it, and
/// the client would lose the answer.
async fn send_rejection(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(too_many_connections().as_bytes()).await?;
    stream.shutdown().await?;
    let mut request = stream.take(MAX_REJECTED_REQUEST_BYTES);
    tokio::io::copy(&mut request, &mut tokio::io::sink()).await?;
    Ok(())
}
