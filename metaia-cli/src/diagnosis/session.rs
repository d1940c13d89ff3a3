//! Sessions that do not open, do not become live, deliver nothing, or are lost while they are
//! silent, and steps that run out of time.

use std::time::Duration;

use super::finding::Diagnosis;
use crate::exit::Exit;

/// The advice for a line, or a server, that is too slow for the time of a step.
const MORE_TIME: &str = "the line or the server is slow: --timeout gives each step more time, such \
                         as --timeout 60s";

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

/// Returns the diagnosis of a session that ended before it was live, without a reason.
pub(crate) fn ended_early() -> Diagnosis {
    Diagnosis::unreachable(
        "connected, and the connection ended before rt:ready came",
        "read the logs of the server and of what stands between: one of them cut the connection",
    )
}

/// Returns the diagnosis of an answer that should open a session, and has this flaw.
pub(crate) fn damaged_packet(flaw: &str) -> Diagnosis {
    Diagnosis::unreachable(
        format!("the packet that opens the session is damaged: {flaw}"),
        "something between changes the bodies of answers, such as sub_filter of nginx: let those \
         of /socket.io/ pass unchanged",
    )
}

/// Returns the diagnosis of an answer that a browser does not show to the page, with the origins
/// that it allows.
pub(crate) fn hidden_answer(allowed: Option<&str>) -> Diagnosis {
    let cause = match allowed {
        None => "the answer has no Access-Control-Allow-Origin".to_owned(),
        Some(allowed) => {
            format!("Access-Control-Allow-Origin of the answer is {allowed}, not this origin")
        }
    };
    Diagnosis::unreachable(
        format!("{cause}: a browser does not let the page read it, so that it never connects"),
        "something between removes this header, replaces it or adds another one: let that of the \
         server pass; until then, transports: [\"websocket\"] in the client",
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

/// Returns the diagnosis of a line on which nothing was answered after this silence, while the
/// server accepts other connections.
pub(crate) fn deaf_line(silence: Duration) -> Diagnosis {
    let seconds = silence.as_secs_f64();
    Diagnosis::new(
        Exit::TimedOut,
        format!(
            "the line is not cut, and after {seconds:.1} s of silence nothing passes; the server \
             accepts another connection"
        ),
        "something between, such as a firewall or a NAT, forgets silent lines: give it an idle \
         timeout of 60 s or more",
    )
}

/// Returns the diagnosis of a step that had too little time, since others had taken it.
pub(crate) fn time_used_up(limit: Duration) -> Diagnosis {
    let seconds = limit.as_secs_f64();
    Diagnosis::new(
        Exit::TimedOut,
        format!("no answer within {seconds} s: the steps before took the rest of the time"),
        MORE_TIME,
    )
}

/// Returns the diagnosis of a step that had its time, on a line on which one answer takes this
/// long.
pub(crate) fn slow_line(limit: Duration, answer: Duration) -> Diagnosis {
    let limit = limit.as_secs_f64();
    let answer = answer.as_secs_f64();
    Diagnosis::new(
        Exit::TimedOut,
        format!("no answer within {limit} s, on a slow line: a single answer takes {answer:.1} s"),
        MORE_TIME,
    )
}
