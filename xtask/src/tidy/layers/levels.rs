//! The levels of each crate, bottom first: a file imports from its own level and those below it.
//!
//! A level lists paths below `src`. A file belongs to the longest one that its path begins with.

/// A crate with its levels.
#[derive(Debug)]
pub(super) struct Plan {
    /// The folder of its sources, with the slash.
    pub(super) src: &'static str,
    pub(super) levels: &'static [Level],
    pub(super) circles: &'static [KnownCircle],
}

/// Folders and files of one height.
#[derive(Debug)]
pub(super) struct Level {
    pub(super) paths: &'static [&'static str],
    /// True if its paths may import each other.
    pub(super) is_together: bool,
}

/// A circle of files that is accepted, with the reason.
#[derive(Debug)]
pub(super) struct KnownCircle {
    pub(super) paths: &'static [&'static str],
    pub(super) reason: &'static str,
}

impl Level {
    /// Returns a level whose paths do not import each other.
    const fn apart(paths: &'static [&'static str]) -> Self {
        Self {
            paths,
            is_together: false,
        }
    }

    /// Returns a level whose paths may import each other.
    const fn together(paths: &'static [&'static str]) -> Self {
        Self {
            paths,
            is_together: true,
        }
    }
}

pub(super) const PLANS: [Plan; 5] = [
    Plan {
        src: "metaia-realtime/src/",
        levels: REALTIME,
        circles: REALTIME_CIRCLES,
    },
    Plan {
        src: "metaia-server/src/",
        levels: SERVER,
        circles: &[],
    },
    Plan {
        src: "metaia-cli/src/",
        levels: CLI,
        circles: &[],
    },
    Plan {
        src: "metaia-server/dotenv/src/",
        levels: DOTENV,
        circles: &[],
    },
    Plan {
        src: "xtask/src/",
        levels: XTASK,
        circles: &[],
    },
];

const REALTIME: &[Level] = &[
    Level::apart(&[
        "crash_points.rs",
        "failure_log.rs",
        "planted_faults.rs",
        "values/",
    ]),
    Level::apart(&["limits.rs", "rate.rs"]),
    // The client shares values with the server and nothing else: it sees what any client sees.
    Level::apart(&["event/", "client/", "sqlite/"]),
    Level::together(&["auth/", "access.rs"]),
    Level::apart(&["revocation/"]),
    Level::apart(&["log/"]),
    Level::apart(&["device/", "presence/", "doorbell/"]),
    // The stores implement contracts of the two levels below.
    Level::apart(&["log/sqlite/", "mongo/"]),
    // The committer writes a log that runs already; the log knows it only as an `Appender`.
    Level::apart(&["mongo/log/"]),
    Level::apart(&["mongo/commit/"]),
    Level::apart(&["mongo/open.rs"]),
    Level::apart(&["mongo/mod.rs"]),
    Level::together(&["session/", "node/"]),
    Level::apart(&[
        "transport/guard/",
        "transport/deadline.rs",
        "transport/origin/",
    ]),
    Level::apart(&["transport/settings.rs"]),
    Level::apart(&["transport/socketio/"]),
    Level::apart(&["transport/http/"]),
    Level::apart(&["transport/mod.rs"]),
    Level::apart(&["api/"]),
    Level::apart(&["testing/"]),
];

const REALTIME_CIRCLES: &[KnownCircle] = &[KnownCircle {
    paths: &["session/", "node/"],
    reason: "one engine: a session acts on its node, and the node delivers to its sessions",
}];

const SERVER: &[Level] = &[
    Level::apart(&[
        "error_chain.rs",
        "printer.rs",
        "line_output/",
        "line_pace/",
        "model/",
    ]),
    Level::apart(&["store/"]),
    Level::apart(&["auth/"]),
    Level::apart(&["config/", "payment/"]),
    Level::apart(&["services/"]),
    Level::apart(&["state.rs"]),
    Level::apart(&["http/"]),
    Level::apart(&["startup/"]),
];

const CLI: &[Level] = &[
    Level::apart(&[
        "exit.rs",
        "clock.rs",
        "span.rs",
        "suggestion.rs",
        "codes.rs",
        "actor.rs",
        "terminal.rs",
        "screen.rs",
        "proxy.rs",
        "blocked_output.rs",
        "process_group.rs",
        "user_folders.rs",
        "bounded_file.rs",
        "whole_file.rs",
    ]),
    Level::apart(&[
        "printer.rs",
        "payload_args.rs",
        "members.rs",
        "example_order.rs",
        "provider.rs",
        "interrupt.rs",
        "token/",
        "source_file.rs",
    ]),
    // The contexts decide where an address and a secret come from.
    Level::apart(&["contexts/"]),
    Level::apart(&["secrets.rs"]),
    Level::apart(&["token_secrets.rs"]),
    // The diagnosis, the expectations and the lines of events are pure: they know nothing of the
    // network and of the options.
    Level::apart(&["diagnosis/", "event_line/", "expectation/", "tls.rs"]),
    Level::apart(&[
        "identity.rs",
        "address.rs",
        "network.rs",
        "reply_reader.rs",
        "child_command.rs",
        "jq_option.rs",
        "retry_after.rs",
        "connection_words.rs",
    ]),
    Level::apart(&["probe.rs", "where_option.rs"]),
    Level::apart(&["rest.rs"]),
    Level::apart(&["context/"]),
    Level::apart(&["connecting.rs"]),
    Level::apart(&["session_end.rs"]),
    Level::apart(&["connection.rs", "liveness.rs", "notices/", "order_ref/"]),
    Level::apart(&["feed.rs"]),
    Level::apart(&["event_names.rs", "verdict/", "watcher/"]),
    Level::apart(&["absence.rs", "doctor/"]),
    // A scenario: the format, then reading it, checking it as a whole, running it.
    Level::apart(&["scenario/located.rs", "scenario/variables.rs"]),
    Level::apart(&["scenario/expectations.rs"]),
    Level::apart(&["scenario/steps.rs", "scenario/outcome.rs"]),
    Level::apart(&["scenario/document.rs"]),
    Level::apart(&["scenario/parse.rs"]),
    Level::apart(&["scenario/plan/"]),
    Level::apart(&["scenario/run/"]),
    Level::apart(&["scenario/mod.rs"]),
    Level::apart(&["commands/"]),
    Level::apart(&["cli/"]),
];

const DOTENV: &[Level] = &[
    Level::apart(&["file.rs", "scanner.rs"]),
    Level::apart(&["variable.rs"]),
];

const XTASK: &[Level] = &[
    Level::apart(&["paths.rs"]),
    Level::apart(&["shell.rs"]),
    Level::apart(&["fuzz.rs", "package.rs", "tool_size.rs"]),
    Level::apart(&["provision/", "tidy/"]),
    Level::apart(&["test.rs"]),
    Level::apart(&["upgrade.rs"]),
    Level::apart(&["bench.rs", "ci.rs"]),
];
