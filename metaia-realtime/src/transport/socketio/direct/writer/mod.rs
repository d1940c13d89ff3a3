//! The queue of frames of one connection, and what of it was written.
//!
//! At the edges: a session's packets are taken from it while less than 32 frames are queued
//! ([`MAX_QUEUED`]), and not while the socket takes no more. Frames of the transport itself (pings,
//! pongs, the answers to CONNECTs) may come beside them. While those take 64 KiB
//! ([`MAX_ANSWER_BYTES`]), nothing more is read from the client, which causes them. Of several
//! pings of a client only the last one is answered.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    sync::Arc,
};

use bytes::Bytes;
use tokio::{net::tcp::OwnedWriteHalf, time::Instant};

use crate::{
    node::{Counters, TransportKind},
    transport::socketio::scan::Written,
    values::Moment,
};

/// The most frames that wait here before a session's next packet does.
pub(super) const MAX_QUEUED: usize = 32;

/// The most memory that frames of the transport itself take before reading pauses.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The memory that a frame takes beside its bytes.
const FRAME_OVERHEAD: usize = 64;

/// The kind of a frame, for the counts of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameKind {
    /// A packet of the session that is not timed.
    Packet,
    /// A packet with an entry that was committed at this moment, and is delivered live.
    LiveEntry(Moment),
    /// A ping of Engine.IO.
    Ping,
    /// The answer to a ping of WebSocket itself.
    Pong,
    /// Anything else.
    Other,
}

impl FrameKind {
    /// Returns whether the frame is a packet of the session.
    const fn is_packet(self) -> bool {
        matches!(self, Self::Packet | Self::LiveEntry(_))
    }
}

/// The frames that wait to be written, and the socket that they are written to.
#[derive(Debug)]
pub(super) struct FrameWriter {
    /// `None` if only the connection's task can write.
    socket: Option<OwnedWriteHalf>,
    /// Of the node, for the time of each write.
    counters: Arc<Counters>,
    queue: VecDeque<(Bytes, FrameKind)>,
    /// Bytes of the first frame that were written.
    offset: usize,
    /// The memory that the queued frames take that are not a session's.
    answer_bytes: usize,
    /// Since when the socket takes nothing.
    blocked_since: Option<Instant>,
    /// The error of the write that has failed: nothing more is written.
    broken_by: Option<io::ErrorKind>,
}

impl FrameWriter {
    pub(super) const fn new(socket: Option<OwnedWriteHalf>, counters: Arc<Counters>) -> Self {
        Self {
            socket,
            counters,
            queue: VecDeque::new(),
            offset: 0,
            answer_bytes: 0,
            blocked_since: None,
            broken_by: None,
        }
    }

    pub(super) fn push(&mut self, frame: Bytes, kind: FrameKind) {
        if self.is_broken() {
            return;
        }
        self.answer_bytes += answer_size(&frame, kind);
        match self.waiting_pong() {
            Some(pong) if kind == FrameKind::Pong => {
                let replaced = std::mem::replace(pong, frame);
                self.answer_bytes -= answer_size(&replaced, kind);
            }
            _ => self.queue.push_back((frame, kind)),
        }
    }

    /// Returns the pong that waits, unless a part of it is written.
    fn waiting_pong(&mut self) -> Option<&mut Bytes> {
        let begun = usize::from(self.offset > 0);
        let mut waiting = self.queue.iter_mut().skip(begun);
        let pong = waiting.find(|(_, kind)| *kind == FrameKind::Pong);
        pong.map(|(frame, _)| frame)
    }

    /// Returns whether so many frames of the transport itself wait that the client should cause no
    /// more.
    pub(super) const fn has_many_answers(&self) -> bool {
        self.answer_bytes >= MAX_ANSWER_BYTES
    }

    /// Returns how many packets of a session may be added now.
    pub(super) fn space(&self) -> usize {
        if self.is_broken() || self.blocked_since.is_some() {
            return 0;
        }
        MAX_QUEUED.saturating_sub(self.queue.len())
    }

    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) const fn is_broken(&self) -> bool {
        self.broken_by.is_some()
    }

    /// Returns the error of the write that has failed, if one has.
    pub(super) const fn broken_by(&self) -> Option<io::ErrorKind> {
        self.broken_by
    }

    pub(super) const fn blocked_since(&self) -> Option<Instant> {
        self.blocked_since
    }

    /// Returns whether only the connection's task can go on.
    pub(super) fn needs_task(&self) -> bool {
        self.is_broken()
            || self.blocked_since.is_some()
            || (self.socket.is_none() && !self.is_empty())
    }

    /// Returns the number of queued packets of a session.
    pub(super) fn packets(&self) -> u64 {
        let kinds = self.queue.iter().map(|(_, kind)| *kind);
        kinds.filter(|kind| kind.is_packet()).count() as u64
    }

    /// Writes as much as the socket takes, if it can be written here. Returns what was written.
    pub(super) fn write(&mut self) -> Written {
        let mut written = Written::default();
        while self.blocked_since.is_none() && !self.queue.is_empty() {
            let Some(socket) = &self.socket else {
                break;
            };
            let result = match self.only_frame() {
                Some(frame) => socket.try_write(frame),
                None => self.with_slices(|frames| socket.try_write_vectored(frames)),
            };
            self.apply(result, &mut written);
        }
        written
    }

    /// Applies the result of a write of the connection's task.
    pub(super) fn apply(&mut self, result: io::Result<usize>, written: &mut Written) {
        match result {
            Ok(0) => self.fail(io::ErrorKind::WriteZero),
            Ok(bytes) => self.advance(bytes, written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.block();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => self.fail(error.kind()),
        }
    }

    /// Records that the stream takes nothing.
    pub(super) fn block(&mut self) {
        self.blocked_since.get_or_insert_with(Instant::now);
    }

    /// Records that the socket may take more again.
    pub(super) const fn unblock(&mut self) {
        self.blocked_since = None;
    }

    /// Drops what is queued, since the connection is of no use any more.
    fn fail(&mut self, error: io::ErrorKind) {
        self.broken_by.get_or_insert(error);
        self.blocked_since = None;
        self.queue = VecDeque::new();
        self.offset = 0;
        self.answer_bytes = 0;
    }

    /// Closes the writing half of the socket, and drops what is queued.
    pub(super) fn close(&mut self) {
        self.fail(io::ErrorKind::NotConnected);
        self.socket = None;
    }

    /// Returns what is queued if it is one frame, without what was written of it.
    fn only_frame(&self) -> Option<&[u8]> {
        match self.queue.front() {
            Some((frame, _)) if self.queue.len() == 1 => Some(&frame[self.offset..]),
            _ => None,
        }
    }

    /// Calls `write` with the queued frames, without what was written of the first.
    pub(super) fn with_slices<R>(&self, write: impl FnOnce(&[IoSlice<'_>]) -> R) -> R {
        let mut slices = [IoSlice::new(&[]); MAX_QUEUED];
        let count = self.queue.len().min(MAX_QUEUED);
        for (slice, (frame, _)) in slices.iter_mut().zip(&self.queue) {
            *slice = IoSlice::new(frame);
        }
        if let Some((first, _)) = self.queue.front() {
            slices[0] = IoSlice::new(&first[self.offset..]);
        }
        write(&slices[..count])
    }

    fn advance(&mut self, bytes: usize, written: &mut Written) {
        let mut now = None;
        self.offset += bytes;
        while let Some((frame, kind)) = self.queue.front() {
            if self.offset < frame.len() {
                return;
            }
            match kind {
                FrameKind::Packet => written.packets += 1,
                FrameKind::LiveEntry(committed) => {
                    written.packets += 1;
                    self.record_write(*committed, &mut now);
                }
                FrameKind::Ping => written.before_ping = Some(written.packets),
                FrameKind::Pong | FrameKind::Other => {}
            }
            self.answer_bytes -= answer_size(frame, *kind);
            self.offset -= frame.len();
            self.queue.pop_front();
        }
        // Frees the memory: most connections are idle most of the time.
        self.queue = VecDeque::new();
    }

    /// Records that an entry was written. The clock is read once for all entries of a system call.
    fn record_write(&self, committed: Moment, now: &mut Option<Moment>) {
        let latencies = &self.counters.latencies;
        let now = *now.get_or_insert_with(|| latencies.read_clock());
        latencies.record_write(TransportKind::WebSocket, committed, now);
    }
}

/// Returns the memory that a frame takes that is not a session's.
fn answer_size(frame: &Bytes, kind: FrameKind) -> usize {
    match kind {
        _ if kind.is_packet() => 0,
        _ => frame.len() + FRAME_OVERHEAD,
    }
}

#[cfg(test)]
mod tests;
