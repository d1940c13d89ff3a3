//! The loop of one connection.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::super::error::DisconnectReason;
use super::super::handle::Shared;
use super::super::packet::{Body, EnginePacket, SocketPacket};
use super::super::transport::Link;
use super::acks::Acks;
use super::command::Command;
use super::inbound::Inbound;
use super::open::Opened;
use super::outbox::{Outbox, Turn};

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// What outlives connections: the application's side of the driver.
pub(crate) struct Port {
    pub(crate) shared: Arc<Shared>,
    pub(crate) outbox: Outbox,
    pub(crate) commands: mpsc::Receiver<Command>,
    /// For the answers to events; also keeps `commands` open when every handle is gone.
    pub(crate) commands_in: mpsc::Sender<Command>,
}

/// Why a session is over.
#[derive(Debug)]
pub(crate) enum End {
    /// The connection is gone.
    Lost(DisconnectReason),
    /// The application closes the client.
    Closing,
    /// The application has dropped the updates.
    Abandoned,
}

/// One live connection.
pub(crate) struct Session<'a> {
    pub(super) port: &'a mut Port,
    pub(super) link: Link,
    pub(super) inbound: Inbound,
    pub(super) acks: Acks,
    /// The number of the connection.
    pub(super) connection: u64,
    /// When the server asked its clients to come back (`rt:drain`).
    pub(super) come_back: Option<Duration>,
    /// How long the server may be silent.
    pub(super) silence: Duration,
    heard: Instant,
}

impl<'a> Session<'a> {
    pub(crate) fn new(port: &'a mut Port, opened: Opened, connection: u64) -> Self {
        Self {
            port,
            link: opened.link,
            inbound: Inbound::default(),
            acks: Acks::default(),
            connection,
            come_back: None,
            silence: opened.handshake.silence(),
            heard: Instant::now(),
        }
    }

    /// Serves the connection to its end. Returns why it ended, and when the server wants to be
    /// asked again.
    pub(crate) async fn run(mut self) -> (End, Option<Duration>) {
        self.port.shared.connected.store(true, Ordering::Release);
        let end = self.live().await;
        self.port.shared.connected.store(false, Ordering::Release);
        self.acks.interrupt();
        self.goodbye(&end).await;
        (end, self.come_back)
    }

    /// Arms: the client is closed · the application takes updates, or has dropped them · a packet
    /// comes · a command comes · the server is silent for too long. While the application's queue
    /// is full nothing is read, and silence is then no sign of a dead server.
    async fn live(&mut self) -> End {
        let closing = self.port.shared.closing.clone();
        let mut alarm = pin!(sleep_until(self.deadline()));
        loop {
            let blocked = self.port.outbox.is_blocked();
            let step = tokio::select! {
                () = closing.cancelled() => Err(End::Closing),
                turn = self.port.outbox.turn() => self.turned(turn),
                packet = self.link.recv(), if !blocked => self.receive(packet).await,
                Some(command) = self.port.commands.recv() => self.execute(command).await,
                () = alarm.as_mut(), if !blocked => self.overdue(),
            };
            if let Err(end) = step {
                return end;
            }
            if alarm.is_elapsed() {
                alarm.as_mut().reset(self.deadline());
            }
        }
    }

    fn deadline(&self) -> Instant {
        let far = Duration::from_secs(365 * 24 * 3600);
        self.heard + self.silence.min(far)
    }

    /// Anything that comes proves that the server lives.
    pub(super) fn hear(&mut self) {
        self.heard = Instant::now();
    }

    fn turned(&mut self, turn: Turn) -> Result<(), End> {
        self.hear();
        match turn {
            Turn::Free => Ok(()),
            Turn::Abandoned => Err(End::Abandoned),
        }
    }

    fn overdue(&self) -> Result<(), End> {
        if Instant::now() < self.deadline() {
            Ok(())
        } else {
            Err(End::Lost(DisconnectReason::PingTimeout))
        }
    }

    /// Leaves politely where somebody is there to hear it. A DISCONNECT tells the server that
    /// everything it sent was taken, so that it is said only where the application asked for the
    /// end.
    async fn goodbye(&mut self, end: &End) {
        let last = match end {
            End::Closing => vec![EnginePacket::Message(
                SocketPacket::main(Body::Disconnect).encode(),
            )],
            End::Lost(DisconnectReason::ServerDisconnect) => Vec::new(),
            End::Lost(_) | End::Abandoned => return,
        };
        // The time is up or the goodbye is said: the connection is dropped either way.
        let _ = timeout(GOODBYE, self.link.close(last)).await;
    }
}
