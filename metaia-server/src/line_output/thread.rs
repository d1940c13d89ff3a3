//! The thread that writes. It alone waits for the output.

use std::{
    io,
    sync::{Arc, atomic::Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use super::{
    queue::Batch,
    state::{NOTICE, OutputState},
};

/// The pause between two calls of `tick`.
const TICK: Duration = Duration::from_secs(1);

/// The pause before another try, if the output is a non-blocking one that takes nothing now.
const RETRY_PAUSE: Duration = Duration::from_millis(10);

pub(super) struct OutputThread<W, T> {
    state: Arc<OutputState>,
    output: W,
    tick: T,
    /// The lost lines that no line has named yet.
    unsaid: u64,
}

impl<W, T> OutputThread<W, T>
where
    W: io::Write + Send + 'static,
    T: Fn() + Send + 'static,
{
    pub(super) const fn new(state: Arc<OutputState>, output: W, tick: T) -> Self {
        Self {
            state,
            output,
            tick,
            unsaid: 0,
        }
    }

    pub(super) fn start(self) -> io::Result<()> {
        let named = thread::Builder::new().name("metaia-output".to_owned());
        // It is not joined: it may wait for its output for ever.
        named.spawn(move || self.run()).map(drop)
    }

    fn run(mut self) {
        let mut next_tick = Instant::now() + TICK;
        while let Some(batch) = self.next() {
            self.write(&batch);
            if Instant::now() >= next_tick {
                (self.tick)();
                next_tick = Instant::now() + TICK;
            }
        }
        let mut queue = self.state.queue.lock();
        queue.end();
        self.state.ended.notify_all();
    }

    /// Waits for lines, for at most a tick. Returns `None` at the end.
    fn next(&self) -> Option<Batch> {
        let mut queue = self.state.queue.lock();
        if queue.is_empty() && !queue.is_closed() {
            self.state.filled.wait_for(&mut queue, TICK);
        }
        if queue.is_empty() && queue.is_closed() {
            return None;
        }
        Some(queue.take())
    }

    /// Writes a batch. Names the lost lines if the output takes lines, so that a broken one does
    /// not have a notice for each that it refuses.
    fn write(&mut self, batch: &Batch) {
        if batch.bytes.is_empty() {
            return;
        }
        self.unsaid += batch.lost;
        if write_whole(&mut self.output, &batch.bytes).is_err() {
            self.state.lost.fetch_add(batch.lines, Relaxed);
            self.unsaid += batch.lines;
            return;
        }
        let lost = std::mem::take(&mut self.unsaid);
        if lost > 0 {
            // Through the log, so that it has its form. This thread does not wait for the queue.
            tracing::warn!(
                target: NOTICE,
                lost,
                "lines of this log were lost: its reader was too slow, or refused them"
            );
        }
    }
}

fn write_whole(output: &mut impl io::Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Another process that shares the pipe has made it non-blocking.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(RETRY_PAUSE),
            Err(error) => return Err(error),
        }
    }
    output.flush()
}
