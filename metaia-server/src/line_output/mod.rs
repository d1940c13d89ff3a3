//! Lines to an output that may stand still: a pipe that nobody reads, a full disk.
//!
//! A line waits in a queue for one thread, which alone writes and waits for the output. So no other
//! thread ever does, whatever reads the log.
//!
//! - **Full**: the queue holds 1 MiB ([`MAX_BYTES`](queue::MAX_BYTES)). Lines that find no place
//!   are lost: counted, and said in one line once the output takes lines again.
//! - **Broken**: if the output refuses lines (its reader is gone, its disk is full), they are lost
//!   in the same way. The next line is tried again.
//! - **Long**: a line is cut at 64 KiB ([`MAX_LINE_BYTES`](queue::MAX_LINE_BYTES)).
//! - **End**: [`LineOutput::finish`] waits until everything is written, but not for long.

mod queue;
mod state;
mod thread;

use std::{
    io,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use self::{
    queue::Importance,
    state::{NOTICE, OutputState},
    thread::OutputThread,
};

/// An output of lines. A handle: `clone` is cheap, and all clones are one output. Dropping the last
/// one does not wait for the thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct LineOutput(Arc<OutputState>);

impl LineOutput {
    /// Starts the thread that writes to `output`. It also calls `tick`, about once a second while
    /// the output takes lines.
    pub(crate) fn start(
        &self,
        output: impl io::Write + Send + 'static,
        tick: impl Fn() + Send + 'static,
    ) -> io::Result<()> {
        OutputThread::new(Arc::clone(&self.0), output, tick).start()
    }

    /// Returns the number of lines that were lost so far.
    pub(crate) fn lost(&self) -> u64 {
        self.0.lost.load(Relaxed)
    }

    /// Ends the output, and waits until all lines are written, for at most `limit`. Lines that are
    /// added later are lost.
    pub(crate) fn finish(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let mut queue = self.0.queue.lock();
        queue.close();
        self.0.filled.notify_one();
        while !queue.has_ended() {
            if self.0.ended.wait_until(&mut queue, deadline).timed_out() {
                return;
            }
        }
    }

    fn add(&self, line: &[u8], importance: Importance) {
        if self.0.queue.lock().add(line, importance) {
            self.0.filled.notify_one();
        } else {
            self.0.lost.fetch_add(1, Relaxed);
        }
    }
}

/// A writer of one line: the log calls it once for each.
#[derive(Debug)]
pub(crate) struct LineWriter<'a> {
    output: &'a LineOutput,
    importance: Importance,
}

impl io::Write for LineWriter<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.output.add(line, self.importance);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LineOutput {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        LineWriter {
            output: self,
            importance: Importance::Ordinary,
        }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Self::Writer {
        let importance = if metadata.target() == NOTICE {
            Importance::Notice
        } else {
            Importance::Ordinary
        };
        LineWriter {
            output: self,
            importance,
        }
    }
}

#[cfg(test)]
mod tests;
