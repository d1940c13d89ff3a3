//! One connection, as its task and the dispatcher share it.

use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::{net::tcp::OwnedWriteHalf, sync::Notify, time::Instant};

use super::{
    frames::packet_frame,
    writer::{FrameKind, FrameWriter},
};
use crate::{
    node::{Counters, TransportKind},
    session::{EndReason, Outgoing, PacketWriter, Progress, Session, Taken},
    transport::{guard::Observer, socketio::write_counts::WriteCounts},
};

/// The half of a connection that the task and the dispatcher share. Its lock is taken before that
/// of a session.
#[derive(Debug)]
pub(super) struct DirectConnection {
    writer: Mutex<FrameWriter>,
    counters: Arc<Counters>,
    counts: WriteCounts,
    /// Wakes the connection's task.
    pub(super) wake: Notify,
    /// The session is not being driven: its task waits for the client, or to be woken.
    is_resting: AtomicBool,
    /// The reason why another connection of the client has lost this one.
    lost_for: OnceLock<EndReason>,
}

impl DirectConnection {
    /// Creates the shared half of a connection. `socket` is `None` if only the connection's task
    /// can write to it.
    pub(super) fn new(socket: Option<OwnedWriteHalf>, counters: &Arc<Counters>) -> Self {
        Self::with_counts(socket, counters, WriteCounts::default())
    }

    /// Creates the shared half of a connection that goes on with these counts.
    pub(super) fn with_counts(
        socket: Option<OwnedWriteHalf>,
        counters: &Arc<Counters>,
        counts: WriteCounts,
    ) -> Self {
        Self {
            writer: Mutex::new(FrameWriter::new(socket, Arc::clone(counters))),
            counters: Arc::clone(counters),
            counts,
            wake: Notify::new(),
            is_resting: AtomicBool::new(false),
            lost_for: OnceLock::new(),
        }
    }

    /// Writes a frame behind those that are queued.
    pub(super) fn send(&self, frame: Bytes, kind: FrameKind) {
        let mut writer = self.writer.lock();
        writer.push(frame, kind);
        self.write(&mut writer);
    }

    /// Takes packets of the session, to be written by [`flush_taken`](Self::flush_taken).
    pub(super) fn take_packets(&self, session: &Session) -> Taken {
        self.move_packets(&mut self.writer.lock(), session)
    }

    /// Writes what the session has queued, as far as the socket takes it.
    pub(super) fn flush(&self, session: &Session) -> Flushed {
        let mut writer = self.writer.lock();
        let taken = self.move_packets(&mut writer, session);
        self.write_taken(&mut writer, session, taken)
    }

    /// Writes what was taken, and what the session has queued beside it, as far as the socket takes
    /// it.
    pub(super) fn flush_taken(&self, session: &Session, taken: Taken) -> Flushed {
        self.write_taken(&mut self.writer.lock(), session, taken)
    }

    fn write_taken(
        &self,
        writer: &mut FrameWriter,
        session: &Session,
        mut taken: Taken,
    ) -> Flushed {
        let mut flushed = Flushed::default();
        loop {
            flushed.entries += taken.entries;
            self.write(writer);
            flushed.is_done = taken.is_quiet && !taken.has_more && !writer.needs_task();
            // The write may have made space for the packets that still wait.
            let may_take_more = taken.has_more && taken.packets > 0 && writer.space() > 0;
            if !may_take_more {
                return flushed;
            }
            taken = self.move_packets(writer, session);
        }
    }

    /// Moves packets of the session to the writer, as many as it has space for. For the histograms
    /// they are handed over at the last reading of the clock.
    fn move_packets(&self, writer: &mut FrameWriter, session: &Session) -> Taken {
        let latencies = &self.counters.latencies;
        let now = latencies.last_reading();
        session.take_packets(writer.space(), |packet| {
            let kind = match packet.committed() {
                Some(committed) => {
                    latencies.record_hand_over(TransportKind::WebSocket, committed, now);
                    FrameKind::LiveEntry(committed)
                }
                None => FrameKind::Packet,
            };
            writer.push(packet_frame(&packet), kind);
        })
    }

    fn write(&self, writer: &mut FrameWriter) {
        let written = writer.write();
        self.counts.add(written);
    }

    /// Calls `act` with the writer and the counts. A stream is written in this way, by the task.
    pub(super) fn with_writer<R>(
        &self,
        act: impl FnOnce(&mut FrameWriter, &WriteCounts) -> R,
    ) -> R {
        act(&mut self.writer.lock(), &self.counts)
    }

    /// Writes what is queued, since the socket may take more again.
    pub(super) fn write_again(&self) {
        let mut writer = self.writer.lock();
        writer.unblock();
        self.write(&mut writer);
    }

    /// Returns why another connection of the client has lost this one, if it has.
    pub(super) fn lost_for(&self) -> Option<EndReason> {
        self.lost_for.get().copied()
    }

    /// Returns the error of the write that has failed, if one has.
    pub(super) fn broken_by(&self) -> Option<io::ErrorKind> {
        self.writer.lock().broken_by()
    }

    /// Returns whether the client has caused so many answers that wait that it should not be read.
    pub(super) fn has_many_answers(&self) -> bool {
        self.writer.lock().has_many_answers()
    }

    /// Closes the connection: nothing more is written. The session of a handler that goes on keeps
    /// this half, but not the socket.
    pub(super) fn close(&self) {
        self.writer.lock().close();
    }

    pub(super) fn blocked_since(&self) -> Option<Instant> {
        self.writer.lock().blocked_since()
    }

    /// Returns how many frames wait to be written.
    pub(super) fn queued(&self) -> usize {
        self.writer.lock().queued()
    }

    /// Records a pong of the client.
    pub(super) fn pong(&self) {
        self.counts.pong();
    }

    pub(super) fn progress(&self) -> Progress {
        self.counts.progress()
    }

    /// Returns how many packets of sessions were taken since the connection began.
    pub(super) fn taken(&self) -> u64 {
        let writer = self.writer.lock();
        self.counts.written() + writer.packets()
    }

    /// Says whether the session's task rests.
    pub(super) fn set_resting(&self, is_resting: bool) {
        self.is_resting.store(is_resting, Ordering::SeqCst);
    }

    /// Returns whether the session's task rests.
    pub(super) fn is_resting(&self) -> bool {
        self.is_resting.load(Ordering::SeqCst)
    }
}

impl Observer for DirectConnection {
    /// The first reason is kept.
    fn lose(&self, why: EndReason) {
        self.lost_for.set(why).ok();
        self.close();
        self.wake.notify_one();
    }
}

/// The result of writing what a session has queued.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Flushed {
    /// The number of entries of the log that were taken.
    pub(super) entries: usize,
    /// Everything is written, and the session has nothing else to do.
    pub(super) is_done: bool,
}

/// The writer of a session's work.
impl PacketWriter for &DirectConnection {
    fn write_queued(&mut self, session: &Session) -> Result<usize, EndReason> {
        // The task was woken: the last reading may be old.
        self.counters.latencies.read_clock();
        let flushed = self.flush(session);
        // The packets that were written free credit.
        session.note_progress();
        Ok(flushed.entries)
    }

    fn write_last(&mut self, packet: Outgoing) {
        self.send(packet_frame(&packet), FrameKind::Packet);
    }
}
