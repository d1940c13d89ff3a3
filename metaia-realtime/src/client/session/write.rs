//! What a session writes.

use serde_json::Value;
use tokio::time::timeout;

use super::super::error::{DisconnectReason, SendError};
use super::super::packet::{Body, EnginePacket, SocketPacket};
use super::command::{Command, Done};
use super::live::{End, Session};

/// So many waiting commands go out with one write.
const BATCH: usize = 32;

/// Commands that become one write, and who waits for it.
#[derive(Default)]
struct Batch {
    packets: Vec<EnginePacket>,
    waiting: Vec<Done<()>>,
    /// Set by the command that cuts the line, which ends the batch.
    cut: Option<Done<()>>,
}

impl Session<'_> {
    /// Writes packets, at most as long as the server may be silent.
    pub(super) async fn write(&mut self, packets: &[EnginePacket]) -> Result<(), End> {
        match timeout(self.silence, self.link.send(packets)).await {
            Ok(sent) => sent.map_err(|error| End::Lost(error.into())),
            Err(_) => Err(End::Lost(DisconnectReason::PingTimeout)),
        }
    }

    /// Executes a command and those that wait behind it.
    pub(super) async fn execute(&mut self, first: Command) -> Result<(), End> {
        let batch = self.collect(first);
        let sent = if batch.packets.is_empty() {
            Ok(())
        } else {
            self.write(&batch.packets).await
        };
        let answer = if sent.is_ok() {
            Ok(())
        } else {
            Err(SendError::NotConnected)
        };
        for done in batch.waiting {
            let _ = done.send(answer);
        }
        match batch.cut {
            Some(done) => {
                let _ = done.send(Ok(()));
                Err(End::Lost(DisconnectReason::Dropped))
            }
            None => sent,
        }
    }

    fn collect(&mut self, first: Command) -> Batch {
        let mut batch = Batch::default();
        self.prepare(first, &mut batch);
        while batch.packets.len() < BATCH && batch.cut.is_none() {
            let Ok(command) = self.port.commands.try_recv() else {
                break;
            };
            self.prepare(command, &mut batch);
        }
        batch
    }

    fn prepare(&mut self, command: Command, batch: &mut Batch) {
        match command {
            Command::Emit { name, args, done } => batch.add(event(None, name, args), done),
            Command::Ask { name, args, done } => match self.acks.register(done) {
                Ok(id) => batch.packets.push(packet(event(Some(id), name, args))),
                Err(caller) => drop(caller.send(Err(SendError::TooManyAwaited))),
            },
            Command::Ack {
                connection,
                id,
                answer,
                done,
            } if connection == self.connection => {
                batch.add(
                    Body::Ack {
                        id,
                        args: vec![answer],
                        attachments: 0,
                    },
                    done,
                );
            }
            stale @ Command::Ack { .. } => stale.refuse(SendError::NotConnected),
            Command::DropTransport { done } => batch.cut = Some(done),
        }
    }
}

impl Batch {
    fn add(&mut self, body: Body, done: Done<()>) {
        self.packets.push(packet(body));
        self.waiting.push(done);
    }
}

fn event(id: Option<u64>, name: String, args: Vec<Value>) -> Body {
    Body::Event {
        id,
        name,
        args,
        attachments: 0,
    }
}

fn packet(body: Body) -> EnginePacket {
    EnginePacket::Message(SocketPacket::main(body).encode())
}
