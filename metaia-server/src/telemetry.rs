//! The log: lines of text or of JSON on standard error, standard output being the announcement's.
//!
//! Nothing that we log has tokens or secrets in it. The crates below us log packets when told to say everything, and
//! the first packet of a client carries its token: they are held at `info`, whatever `RUST_LOG` says.

use std::{backtrace::Backtrace, env, io, io::IsTerminal as _, panic};

use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer as _, Registry,
    filter::{FilterExt as _, filter_fn},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::config::{Log, LogFormat};

const DEFAULT: &str = "info";

/// They would log what clients send.
const HELD: [&str; 5] = ["socketioxide", "engineioxide", "tungstenite", "tokio_tungstenite", "hyper"];

/// Starts logging. A second start in one process changes nothing.
pub(crate) fn start(log: &Log) {
    let filter = EnvFilter::new(log.filter.as_deref().unwrap_or(DEFAULT)).and(filter_fn(is_harmless));
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = match log.format {
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
        LogFormat::Text => lines.with_ansi(is_for_people()).with_target(false).with_filter(filter).boxed(),
    };
    if Registry::default().with(lines).try_init().is_ok() {
        log_panics();
    }
}

fn is_harmless(metadata: &Metadata<'_>) -> bool {
    let root = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= Level::INFO || !HELD.contains(&root)
}

fn is_for_people() -> bool {
    io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A panic is a line of the log too, so that it is found where the rest is.
fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        let said = panic.payload_as_str().unwrap_or("something that is no text");
        let backtrace = Backtrace::capture();
        tracing::error!(at, %backtrace, "panicked: {said}");
    }));
}
