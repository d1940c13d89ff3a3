//! Sessions that do not become live, deliver nothing, or are cut while they are silent.

use std::time::Duration;

use super::finding::Diagnosis;
use crate::exit::Exit;

/// Returns the diagnosis of a connection whose session did not become live in this time.
pub(crate) fn not_ready(limit: Duration) -> Diagnosis {
    let seconds = limit.as_secs_f64();
    Diagnosis::new(
        Exit::TimedOut,
        format!("connected, and no rt:ready came within {seconds:.1} s"),
        "check that this is a METAIA server, and its log: it may not be able to read its events. \
         --timeout sets a longer limit",
    )
}

/// Returns the diagnosis of an event that the server took and did not deliver in this time.
pub(crate) fn not_delivered(limit: Duration) -> Diagnosis {
    let seconds = limit.as_secs_f64();
    Diagnosis::new(
        Exit::TimedOut,
        format!(
            "the server took an event for this session, and it did not come within {seconds:.1} s"
        ),
        "read the server's log: with several nodes, the one of this session may not be notified",
    )
}

/// Returns the diagnosis of a fence that the server did not give, for this reason.
pub(crate) fn no_fence(exit: Exit, reason: &str) -> Diagnosis {
    Diagnosis::new(
        exit,
        format!("the server gave no fence (rt:sync): {reason}"),
        "read the server's log: it may not be able to read its events",
    )
}

/// Returns the diagnosis of a line that was cut after this silence. `ping` is the time after which
/// the server sends a ping.
pub(crate) fn cut_line(silence: Duration, ping: Option<Duration>, reason: &str) -> Diagnosis {
    let seconds = silence.as_secs_f64();
    let ping = ping.map_or_else(String::new, |ping| {
        let seconds = ping.as_secs_f64();
        format!("; the server sends a ping only every {seconds} s")
    });
    Diagnosis::unreachable(
        format!("cut after {seconds:.1} s of silence ({reason}){ping}"),
        "something between cuts silent lines. In nginx, in the location of /socket.io/:\n  \
         proxy_read_timeout 75s;\n  proxy_send_timeout 75s;\n  proxy_buffering off;\n\
         in a load balancer: an idle timeout of 60 s or more",
    )
}
