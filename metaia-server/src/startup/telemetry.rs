//! The process log: lines of text or JSON on standard error. Standard output is for the banner.
//!
//! No thread but that of [`LineOutput`] waits for standard error, and a flood of equal lines is cut
//! by [`LinePace`].
//!
//! No line of this server contains a token or a secret. Its dependencies log packets at `debug` and
//! `trace`, and the first packet of a client carries its token: their level is capped at `info`,
//! whatever `RUST_LOG` says.

use std::{
    backtrace::Backtrace,
    env, io,
    io::{IsTerminal as _, Write as _},
    panic,
    time::Duration,
};

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    Layer as _, Registry,
    filter::{FilterExt as _, LevelFilter, Targets, filter_fn},
    fmt::{self, MakeWriter as _},
    layer::{Filter, SubscriberExt as _},
    util::SubscriberInitExt as _,
};

use crate::{
    config::{Log, LogFormat},
    http::metrics::LogMetrics,
    line_output::LineOutput,
    line_pace::LinePace,
};

/// The time to write the last lines at the end of the process.
pub(super) const LAST_LINES_TIMEOUT: Duration = Duration::from_millis(500);

/// Crates that log what clients send, below `info`.
const CAPPED_AT_INFO: [&str; 5] = [
    "socketioxide",
    "engineioxide",
    "tungstenite",
    "tokio_tungstenite",
    "hyper",
];

/// The log of this process. Dropping it waits until everything is written, for at most 500 ms
/// ([`LAST_LINES_TIMEOUT`]), because its reader may stand still.
#[derive(Debug, Default)]
pub(crate) struct ProcessLog {
    pub(crate) output: LineOutput,
    pub(crate) pace: LinePace,
}

impl ProcessLog {
    /// Starts logging. A second start in one process changes nothing.
    ///
    /// # Errors
    /// Returns an error if the system has no thread for it.
    pub(crate) fn start(log: &Log) -> io::Result<Self> {
        let this = Self::default();
        let pace = this.pace.clone();
        this.output
            .start(io::stderr(), move || pace.tell_unsaid())?;
        if subscribe(log, &this) {
            log_panics();
        }
        Ok(this)
    }

    /// Returns the metrics of this log.
    pub(crate) fn metrics(&self) -> LogMetrics {
        LogMetrics {
            output: self.output.clone(),
            pace: self.pace.clone(),
        }
    }

    /// Adds a line as it is.
    pub(crate) fn print(&self, line: &str) {
        let mut output = self.output.make_writer();
        // The queue takes the line, or counts it.
        let _ = writeln!(output, "{line}");
    }
}

impl Drop for ProcessLog {
    fn drop(&mut self) {
        self.pace.tell_all();
        self.output.finish(LAST_LINES_TIMEOUT);
    }
}

/// Sends the lines of this process to its log. Returns false if they have another one already.
fn subscribe(log: &Log, to: &ProcessLog) -> bool {
    let default = || Targets::new().with_default(LevelFilter::INFO);
    let wanted = filter(log.filter.clone().unwrap_or_else(default));
    // The pace last: it counts only what would be written.
    let wanted = wanted.and(to.pace.clone());
    let lines = fmt::layer().with_writer(to.output.clone());
    let lines = match log.format {
        LogFormat::Json => lines.json().flatten_event(true).with_filter(wanted).boxed(),
        LogFormat::Text => lines
            .with_ansi(uses_colours())
            .with_target(false)
            .with_filter(wanted)
            .boxed(),
    };
    Registry::default().with(lines).try_init().is_ok()
}

fn filter<S: Subscriber>(wanted: Targets) -> impl Filter<S> + use<S> {
    wanted.and(filter_fn(is_free_of_packets))
}

fn is_free_of_packets(metadata: &Metadata<'_>) -> bool {
    let root = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= Level::INFO || !CAPPED_AT_INFO.contains(&root)
}

fn uses_colours() -> bool {
    io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Logs panics, so that they are found where everything else is.
fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let at = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("(no text)");
        let backtrace = Backtrace::capture();
        tracing::error!(at, %backtrace, "panicked: {message}");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_clients_send_is_not_logged_even_when_everything_is_asked_for() {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = fmt::layer()
            .with_writer(move || writer.clone())
            .with_filter(filter("trace,tungstenite=trace".parse().unwrap()));
        tracing::subscriber::with_default(Registry::default().with(layer), || {
            tracing::trace!(target: "tungstenite::protocol", "40 with the token");
            tracing::debug!(target: "engineioxide::engine", "40 with the token");
            tracing::debug!(target: "hyper::proto", "authorization");
            tracing::trace!(target: "metaia_server::auth", "ours");
            tracing::warn!(target: "tungstenite", "theirs");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(
            !text.contains("token") && !text.contains("authorization"),
            "{text}"
        );
        assert!(text.contains("ours") && text.contains("theirs"), "{text}");
    }
}
