//! The task's side of a connection: packets in, frames out, pings, and time.

mod closing;
mod lost;
mod timing;
mod writing;

use std::{
    future::poll_fn,
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::ReadBuf,
    time::{Instant, Sleep},
};
use tokio_tungstenite::tungstenite::protocol::frame::coding::Control;

pub(super) use self::lost::Lost;
use super::{
    connection::DirectConnection,
    frames::{control_frame, text_frame},
    heartbeat::Heartbeat,
    line::Line,
    packet::{BadPacket, ClientPacket},
    waiting::HeldPackets,
    writer::FrameKind,
};
use crate::{
    Limits,
    transport::{
        guard::ReadPause,
        socketio::{
            read_budget::ReadBudget,
            websocket::{BadFrame, FrameReader, Message},
        },
    },
};

/// Bytes that are read at a time.
const READ_BYTES: usize = 4 * 1024;

/// The events that a connection's task learns of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Packet(ClientPacket),
    /// The time that was [set](Conversation::set_alarm) has come.
    Alarm,
    /// Nothing more comes, and nothing more can be said but a close frame.
    Lost(Lost),
}

/// The result of doing what is due.
enum Due {
    /// Nothing: the timer wakes the task.
    Nothing,
    /// Something that is done. Others may follow it.
    Again,
    /// The alarm.
    Alarm,
    /// A pong is overdue. The client is disconnected unless the pong waits to be read.
    Pong,
}

/// The task's side of a connection.
pub(super) struct Conversation {
    pub(super) connection: Arc<DirectConnection>,
    line: Line,
    reader: FrameReader,
    waiting: HeldPackets,
    heartbeat: Heartbeat,
    read_pause: ReadPause,
    pub(super) budget: Arc<ReadBudget>,
    write_stall: Duration,
    alarm: Option<Instant>,
    /// For the earliest of all deadlines.
    timer: Pin<Box<Sleep>>,
    lost: Option<Lost>,
}

/// The state in which a conversation begins, which may have gone on elsewhere before.
pub(super) struct ConversationStart {
    pub(super) reader: FrameReader,
    pub(super) budget: Arc<ReadBudget>,
    pub(super) heartbeat: Heartbeat,
}

impl ConversationStart {
    /// Returns the state of a new one.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            reader: FrameReader::new(limits.message_bytes),
            budget: Arc::new(ReadBudget::new(limits)),
            heartbeat: Heartbeat::new(limits.ping_interval, limits.ping_timeout, Instant::now()),
        }
    }
}

impl Conversation {
    /// Begins with `read`, what the client has sent already.
    pub(super) fn new(
        connection: Arc<DirectConnection>,
        line: Line,
        start: ConversationStart,
        read: &[u8],
        limits: &Limits,
    ) -> Self {
        let ConversationStart {
            reader,
            budget,
            heartbeat,
        } = start;
        let timer = Box::pin(tokio::time::sleep_until(heartbeat.deadline()));
        let mut conversation = Self {
            connection,
            line,
            reader,
            waiting: HeldPackets::new(limits.message_bytes),
            heartbeat,
            read_pause: ReadPause::default(),
            budget,
            write_stall: limits.write_stall,
            alarm: None,
            timer,
            lost: None,
        };
        if !read.is_empty() && conversation.take_bytes(read).is_err() {
            conversation.lost = Some(Lost::TooMuch);
        }
        conversation
    }

    /// Sends a packet of Engine.IO that is not one of a session.
    pub(super) fn send(&self, packet: &str) {
        self.connection.send(text_frame(packet), FrameKind::Other);
    }

    /// Sets when [`next`](Self::next) is to return [`Heard::Alarm`]. Replaces the time before.
    pub(super) const fn set_alarm(&mut self, at: Option<Instant>) {
        self.alarm = at;
    }

    /// Returns the next packet, or what happens first. After a loss only that is returned. Cancel
    /// safe.
    pub(super) async fn next(&mut self) -> Heard {
        if let Some(packet) = self.waiting.pop() {
            return Heard::Packet(packet);
        }
        if let Some(lost) = self.lost {
            return Heard::Lost(lost);
        }
        match poll_fn(|cx| self.poll_packet(cx, true)).await {
            Ok(heard) => heard,
            Err(lost) => {
                self.lost = Some(lost);
                Heard::Lost(lost)
            }
        }
    }

    /// Lets the client's packets wait, and keeps the connection going meanwhile. Never returns.
    /// Cancel safe.
    pub(super) async fn hold(&mut self) {
        loop {
            if self.lost.is_some() {
                return std::future::pending().await;
            }
            let takes_packets = !self.waiting.is_full();
            match poll_fn(|cx| self.poll_packet(cx, takes_packets)).await {
                Ok(Heard::Packet(ClientPacket::Pong)) => {}
                Ok(Heard::Packet(packet)) => self.waiting.push(packet),
                Ok(_) => {}
                Err(lost) => self.lost = Some(lost),
            }
        }
    }

    /// Returns why the connection is lost, if it is.
    pub(super) const fn lost(&self) -> Option<Lost> {
        self.lost
    }

    /// Polls everything: what is to be written, time, and, if `takes_packets`, what comes in.
    fn poll_packet(
        &mut self,
        cx: &mut Context<'_>,
        takes_packets: bool,
    ) -> Poll<Result<Heard, Lost>> {
        loop {
            if takes_packets && let Some(packet) = self.next_packet()? {
                return Poll::Ready(Ok(Heard::Packet(packet)));
            }
            self.poll_write(cx)?;
            let is_overdue = match self.poll_time(cx)? {
                Due::Nothing => false,
                Due::Alarm => return Poll::Ready(Ok(Heard::Alarm)),
                // A ping may wait to be written.
                Due::Again => continue,
                // A node that is busy may look late at what has come in time.
                Due::Pong => true,
            };
            let reads = takes_packets && self.takes_bytes();
            match reads.then(|| self.poll_read(cx)) {
                Some(Poll::Ready(read)) => read?,
                _ if !is_overdue || (reads && self.line.may_have_unread()) => return Poll::Pending,
                _ => return Poll::Ready(Err(Lost::PingTimeout)),
            }
        }
    }

    /// Returns whether more may be read now.
    fn takes_bytes(&self) -> bool {
        !self.read_pause.is_paused() && !self.connection.has_many_answers()
    }
}

/// Reading.
impl Conversation {
    /// Returns the next packet among what was read, if it is complete.
    fn next_packet(&mut self) -> Result<Option<ClientPacket>, Lost> {
        while let Some(message) = self.reader.next().map_err(Lost::BadFrame)? {
            match message {
                // Attachments mean nothing: no event with some is taken.
                Message::Binary | Message::Control(Control::Pong, _) => {}
                Message::Control(Control::Ping, payload) => {
                    let pong = control_frame(Control::Pong, &payload);
                    self.connection.send(pong, FrameKind::Pong);
                }
                Message::Control(Control::Close, payload) => {
                    let close = control_frame(Control::Close, &payload);
                    self.connection.send(close, FrameKind::Other);
                    return Err(Lost::Closed);
                }
                Message::Control(Control::Reserved(_), _) => {
                    return Err(Lost::BadFrame(BadFrame::Malformed));
                }
                Message::Text(text) => {
                    if let Some(packet) = self.read_text(&text)? {
                        return Ok(Some(packet));
                    }
                }
            }
        }
        Ok(None)
    }

    fn read_text(&mut self, text: &str) -> Result<Option<ClientPacket>, Lost> {
        let packet = ClientPacket::read(text).map_err(|bad| match bad {
            BadPacket::Close => Lost::Left,
            BadPacket::Forbidden => Lost::BadPacket,
        })?;
        if packet == Some(ClientPacket::Pong) {
            self.heartbeat.pong(Instant::now());
            self.connection.pong();
        }
        Ok(packet)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        // On the stack: an idle connection has no buffer.
        let mut bytes = [MaybeUninit::uninit(); READ_BYTES];
        let mut buf = ReadBuf::uninit(&mut bytes);
        ready!(self.line.poll_read(cx, &mut buf)).map_err(|error| Lost::by(error.kind()))?;
        if buf.filled().is_empty() {
            return Poll::Ready(Err(Lost::Gone));
        }
        Poll::Ready(self.take_bytes(buf.filled()))
    }

    fn take_bytes(&mut self, bytes: &[u8]) -> Result<(), Lost> {
        if !self.budget.take(bytes.len()) {
            return Err(Lost::TooMuch);
        }
        self.read_pause.add_read(bytes.len());
        self.reader.feed(bytes);
        Ok(())
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.connection.close();
    }
}

#[cfg(test)]
mod tests;
