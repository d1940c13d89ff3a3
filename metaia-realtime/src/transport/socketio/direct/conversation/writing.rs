//! Writing: the frames that could not be written at once.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::AsyncWrite;

use super::{Conversation, Lost};
use crate::transport::socketio::{
    direct::{line::Line, writer::FrameWriter},
    scan::Written,
    write_counts::WriteCounts,
};

impl Conversation {
    /// Writes what is queued and could not be written before.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<(), Lost> {
        if self.line.stream().is_some() {
            return self.poll_write_stream(cx);
        }
        while self.connection.blocked_since().is_some() {
            self.read_pause.block_write();
            let Poll::Ready(result) = self.line.poll_write_ready(cx) else {
                return Ok(());
            };
            result.map_err(|error| Lost::by(error.kind()))?;
            self.connection.write_again();
            self.note_write();
        }
        self.check_broken()
    }

    /// Writes to a stream that only this task can write to.
    fn poll_write_stream(&mut self, cx: &mut Context<'_>) -> Result<(), Lost> {
        let Some(stream) = self.line.stream() else {
            return Ok(());
        };
        let wrote = self
            .connection
            .with_writer(|writer, counts| write_queue(Pin::new(stream), cx, writer, counts));
        if wrote.anything {
            self.note_write();
        }
        // Before flushing: the first error says why the stream has failed.
        self.check_broken()?;
        if wrote.is_blocked {
            self.read_pause.block_write();
            return Ok(());
        }
        match stream_flush(&mut self.line, cx) {
            Poll::Ready(Err(error)) => Err(Lost::by(error.kind())),
            _ => Ok(()),
        }
    }

    /// Wakes the driver of the session, which may wait for space, and ends the pause in reading.
    fn note_write(&mut self) {
        self.read_pause.unblock_write();
        self.connection.wake.notify_one();
    }

    fn check_broken(&self) -> Result<(), Lost> {
        match (self.connection.lost_for(), self.connection.broken_by()) {
            (Some(reason), _) => Err(Lost::Elsewhere(reason)),
            (None, Some(error)) => Err(Lost::by(error)),
            (None, None) => Ok(()),
        }
    }
}

/// The result of writing a queue to a stream.
#[derive(Default)]
struct Wrote {
    /// The stream has taken something, or has failed.
    anything: bool,
    /// The stream takes no more, and something is queued.
    is_blocked: bool,
}

/// Writes what is queued, as far as the stream takes it.
fn write_queue(
    mut stream: Pin<&mut impl AsyncWrite>,
    cx: &mut Context<'_>,
    writer: &mut FrameWriter,
    counts: &WriteCounts,
) -> Wrote {
    let mut wrote = Wrote::default();
    let mut written = Written::default();
    while !writer.is_empty() && !wrote.is_blocked {
        match writer.with_slices(|slices| stream.as_mut().poll_write_vectored(cx, slices)) {
            Poll::Ready(result) => {
                wrote.anything = true;
                writer.unblock();
                writer.apply(result, &mut written);
            }
            Poll::Pending => {
                wrote.is_blocked = true;
                writer.block();
            }
        }
    }
    counts.add(written);
    wrote
}

fn stream_flush(line: &mut Line, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    match line.stream() {
        Some(stream) => Pin::new(stream).poll_flush(cx),
        None => Poll::Ready(Ok(())),
    }
}
