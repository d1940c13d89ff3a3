//! The log lines of a test.

use std::{
    io::{self, Write},
    sync::{Arc, LazyLock, Mutex},
};

use tracing::{
    Dispatch,
    subscriber::{DefaultGuard, NoSubscriber},
};

/// A second dispatcher, for as long as the process lives. If there is one alone, `tracing` asks the
/// thread that reaches a log line first whether it listens, and keeps the answer for all threads: a
/// test on another thread would switch the line off.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::default()));

/// Captures what this thread logs until it is dropped. That is all of a test whose runtime has one
/// thread.
pub(crate) struct CapturedLog {
    buffer: Buffer,
    _subscriber: DefaultGuard,
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl CapturedLog {
    pub(crate) fn start() -> Self {
        LazyLock::force(&SECOND);
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .finish();
        Self {
            buffer,
            _subscriber: tracing::subscriber::set_default(subscriber),
        }
    }

    pub(crate) fn contains(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.buffer.0.lock().unwrap()).into_owned()
    }
}

#[test]
fn a_line_that_another_thread_reaches_first_is_captured() {
    let log = CapturedLog::start();
    let write = || tracing::warn!("reached by two threads");
    std::thread::scope(|scope| scope.spawn(write).join().unwrap());
    write();
    assert!(log.contains("reached by two threads"), "{}", log.text());
}
