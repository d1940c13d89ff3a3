//! Writes packets, and executes the commands of the handles.

use serde_json::Value;
use tokio::time::timeout;

use super::{
    command::{ClientCommand, CommandResultSender},
    live::{ClientSession, SessionEnd},
};
use crate::client::{
    error::{DisconnectReason, SendError},
    packet::{Body, EnginePacket, SocketPacket},
};

/// The most packets that one write contains.
const MAX_BATCH: usize = 32;

/// Commands that become one write, and their callers.
#[derive(Default)]
struct PacketBatch {
    packets: Vec<EnginePacket>,
    callers: Vec<CommandResultSender<()>>,
    /// The caller of the command that drops the transport. That command ends the batch.
    dropped_by: Option<CommandResultSender<()>>,
}

impl ClientSession<'_> {
    /// Writes packets. Takes at most as long as the server may be silent.
    pub(super) async fn write(&mut self, packets: &[EnginePacket]) -> Result<(), SessionEnd> {
        match timeout(self.max_silence, self.link.send(packets)).await {
            Ok(sent) => sent.map_err(|error| SessionEnd::Lost(error.into())),
            Err(_) => Err(SessionEnd::Lost(DisconnectReason::PingTimeout)),
        }
    }

    /// Executes a command, together with those that wait behind it.
    pub(super) async fn execute(&mut self, first: ClientCommand) -> Result<(), SessionEnd> {
        let batch = self.collect(first);
        let sent = if batch.packets.is_empty() {
            Ok(())
        } else {
            self.write(&batch.packets).await
        };
        let result = if sent.is_ok() {
            Ok(())
        } else {
            Err(SendError::NotConnected)
        };
        for done in batch.callers {
            let _ = done.send(result);
        }
        match batch.dropped_by {
            Some(done) => {
                let _ = done.send(Ok(()));
                Err(SessionEnd::Lost(DisconnectReason::Dropped))
            }
            None => sent,
        }
    }

    fn collect(&mut self, first: ClientCommand) -> PacketBatch {
        let mut batch = PacketBatch::default();
        self.prepare(first, &mut batch);
        while batch.packets.len() < MAX_BATCH && batch.dropped_by.is_none() {
            let Ok(command) = self.channels.commands.try_recv() else {
                break;
            };
            self.prepare(command, &mut batch);
        }
        batch
    }

    fn prepare(&mut self, command: ClientCommand, batch: &mut PacketBatch) {
        match command {
            ClientCommand::Emit { name, args, done } => {
                batch.add(event_body(None, name, args), done)
            }
            ClientCommand::EmitWithAck { name, args, done } => match self.acks.register(done) {
                Ok(id) => {
                    let packet = encode(event_body(Some(id), name, args));
                    self.note_size(id, &packet);
                    batch.packets.push(packet);
                }
                Err(caller) => {
                    let _ = caller.send(Err(SendError::TooManyAwaited));
                }
            },
            ClientCommand::Ack {
                connection,
                id,
                args,
                done,
            } if connection == self.connection => {
                batch.add(
                    Body::Ack {
                        id,
                        args,
                        attachments: 0,
                    },
                    done,
                );
            }
            stale @ ClientCommand::Ack { .. } => stale.refuse(SendError::NotConnected),
            ClientCommand::DropTransport { done } => batch.dropped_by = Some(done),
        }
    }

    /// Prepares the error of an event that may end the connection by its size. It is sent: a server
    /// may take more by WebSocket than it says, which is about polling.
    fn note_size(&mut self, id: u64, packet: &EnginePacket) {
        let bytes = packet.size();
        let limit = self.max_payload;
        if bytes > limit {
            let error = SendError::TooLarge { bytes, limit };
            self.acks.expect_interruption(id, error);
        }
    }
}

impl PacketBatch {
    fn add(&mut self, body: Body, done: CommandResultSender<()>) {
        self.packets.push(encode(body));
        self.callers.push(done);
    }
}

fn event_body(id: Option<u64>, name: String, args: Vec<Value>) -> Body {
    Body::Event {
        id,
        name,
        args,
        attachments: 0,
    }
}

fn encode(body: Body) -> EnginePacket {
    EnginePacket::Message(SocketPacket::main(body).encode())
}
