//! The loop of one connection.

use std::{pin::pin, time::Duration};

use tokio::time::{Instant, sleep_until, timeout};

use super::{
    acks::PendingAcks, app_channels::AppChannels, open::Opened, outbox::QueueEvent,
    packet_reader::PacketReader, renewal::TokenRenewal,
};
use crate::client::{
    error::DisconnectReason,
    event::Update,
    options::Transport,
    packet::{Body, EnginePacket, SocketPacket},
    transport::ServerLink,
};

/// The time that leaving the server may take.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(1);

/// The time after which a session counts as ready that has not received `rt:ready`. Servers of
/// other projects never send it.
const READY_AFTER: Duration = Duration::from_secs(10);

/// A silence that is never reached. It bounds the server's value, since an [`Instant`] too far in
/// the future overflows.
const MAX_SILENCE: Duration = Duration::from_secs(365 * 24 * 3600);

/// The reason why a session ended.
#[derive(Debug)]
pub(crate) enum SessionEnd {
    /// The connection is lost.
    Lost(DisconnectReason),
    /// The application closes the client.
    Closing,
    /// The application has dropped the updates.
    Abandoned,
}

/// The end of a session, and the facts that the next attempt needs.
#[derive(Debug)]
pub(crate) struct SessionSummary {
    pub(crate) end: SessionEnd,
    /// The time that the server asked its clients to wait before they reconnect (`rt:drain`).
    pub(crate) retry_after: Option<Duration>,
    /// Set if the session was ready. Otherwise the connection counts as a failed attempt.
    pub(crate) was_ready: bool,
}

/// One live connection.
pub(crate) struct ClientSession<'a> {
    pub(super) channels: &'a mut AppChannels,
    pub(super) link: ServerLink,
    pub(super) packets: PacketReader,
    pub(super) acks: PendingAcks,
    pub(super) renewal: TokenRenewal,
    /// The number of the connection.
    pub(super) connection: u64,
    /// The time that the server asked its clients to wait before they reconnect (`rt:drain`).
    pub(super) retry_after: Option<Duration>,
    /// The largest packet that the server says that it takes, in bytes.
    pub(super) max_payload: usize,
    /// The time for which the server may be silent.
    pub(super) max_silence: Duration,
    /// Set once `rt:ready` was received.
    pub(super) ready: bool,
    opened_at: Instant,
    last_heard: Instant,
    /// The transport that the application knows of.
    transport: Transport,
}

impl<'a> ClientSession<'a> {
    pub(crate) fn new(
        channels: &'a mut AppChannels,
        opened: Opened,
        renewal: TokenRenewal,
        connection: u64,
    ) -> Self {
        let now = Instant::now();
        Self {
            transport: opened.link.transport(),
            channels,
            link: opened.link,
            packets: PacketReader::new(opened.max_message),
            acks: PendingAcks::default(),
            renewal,
            connection,
            retry_after: None,
            max_payload: opened.handshake.max_payload.unwrap_or(usize::MAX),
            max_silence: opened.handshake.max_silence(),
            ready: false,
            opened_at: now,
            last_heard: now,
        }
    }

    /// Serves the connection to its end.
    pub(crate) async fn run(mut self) -> SessionSummary {
        self.channels.state.set_connected(true);
        let end = self.serve().await;
        self.channels.state.set_connected(false);
        let was_ready = self.is_ready();
        self.acks.interrupt();
        self.leave(&end).await;
        SessionSummary {
            end,
            retry_after: self.retry_after,
            was_ready,
        }
    }

    /// Arms: the client is closed · the application receives updates, or has dropped them · a
    /// packet comes · a command comes · the server is silent for too long · the renewal of the
    /// token goes on. While the application's queue is full nothing is read, and silence does not
    /// mean that the server is gone.
    async fn serve(&mut self) -> SessionEnd {
        let closing = self.channels.state.closing.clone();
        let mut alarm = pin!(sleep_until(self.deadline()));
        loop {
            self.report_upgrade();
            let blocked = self.channels.outbox.is_blocked();
            let step = tokio::select! {
                () = closing.cancelled() => Err(SessionEnd::Closing),
                event = self.channels.outbox.changed() => self.queue_changed(event),
                packet = self.link.recv(), if !blocked => self.receive(packet).await,
                Some(command) = self.channels.commands.recv() => self.execute(command).await,
                () = alarm.as_mut(), if !blocked => self.check_silence(),
                Some(()) = self.renewal.step() => Ok(()),
            };
            if let Err(end) = step {
                return end;
            }
            if alarm.is_elapsed() {
                alarm.as_mut().reset(self.deadline());
            }
        }
    }

    /// Tells the application that the transport has changed, or that it will not change.
    fn report_upgrade(&mut self) {
        if let Some(reason) = self.link.take_upgrade_failure() {
            self.channels.outbox.push(Update::UpgradeFailed(reason));
        }
        if self.transport != self.link.transport() {
            self.transport = self.link.transport();
            self.channels.outbox.push(Update::Upgraded);
        }
    }

    fn deadline(&self) -> Instant {
        self.last_heard + self.max_silence.min(MAX_SILENCE)
    }

    /// Restarts the time for which the server may be silent.
    pub(super) fn reset_silence(&mut self) {
        self.last_heard = Instant::now();
    }

    /// Tells the application that the server is alive.
    pub(super) fn note_heard(&self) {
        self.channels.state.set_heard(self.last_heard.into_std());
    }

    fn queue_changed(&mut self, event: QueueEvent) -> Result<(), SessionEnd> {
        // Nothing was read while the queue was full.
        self.reset_silence();
        match event {
            QueueEvent::HasSpace => Ok(()),
            QueueEvent::Dropped => Err(SessionEnd::Abandoned),
        }
    }

    /// Returns whether the session is ready: it received `rt:ready`, or a server that does not send
    /// it has kept the connection for a while.
    fn is_ready(&self) -> bool {
        self.ready || self.opened_at.elapsed() >= READY_AFTER
    }

    fn check_silence(&self) -> Result<(), SessionEnd> {
        // The alarm is set once per period, and packets may have come since.
        if Instant::now() < self.deadline() {
            return Ok(());
        }
        Err(SessionEnd::Lost(DisconnectReason::PingTimeout))
    }

    /// Closes the transport properly if the server can still take it.
    ///
    /// A DISCONNECT tells the server that the client has received everything, so it is sent only if
    /// the application closes the client.
    async fn leave(&mut self, end: &SessionEnd) {
        let last = match end {
            SessionEnd::Closing => Some(EnginePacket::Message(
                SocketPacket::main(Body::Disconnect).encode(),
            )),
            SessionEnd::Lost(DisconnectReason::ServerDisconnect) => None,
            SessionEnd::Lost(_) | SessionEnd::Abandoned => return,
        };
        // The connection is dropped in any case, also if the time is over.
        let _ = timeout(LEAVE_TIMEOUT, self.link.close(last)).await;
    }
}
