//! The servers that are compared.

use std::path::PathBuf;
use std::time::Duration;

use metaia_tests::figures::Choice;
use metaia_tests::server::paths::{binary, package_path};
use metaia_tests::server::process::Process;
use tokio::process::Command;

use super::cores::Cores;

/// The row that fan-out and unicast are compared with.
pub(super) const FLOOR: &str = "floor";
/// The row that several events at once are compared with.
pub(super) const BATCHING_FLOOR: &str = "batching floor";
/// The row that tells how much of a server's distance to the floor is the kernel's.
pub(super) const BUSY_FLOOR: &str = "floor that computes for 0.8 µs";

/// The packet after which a client of Socket.IO is in its rooms.
const CONNECTED: &str = "40";
/// The packet after which a client of the library is in its rooms and live.
const READY: &str = "42[\"rt:ready\"";

/// The interval of Bun's own pings. Its timer counts in steps of 4 s, so that others are not kept.
const BUN_PING: Duration = Duration::from_secs(4);

/// A server.
#[derive(Debug)]
pub(super) struct Contender {
    /// The name on the command line, which is also the argument of a server in Rust.
    pub(super) name: &'static str,
    /// The name in the table.
    pub(super) title: &'static str,
    /// The program that runs it.
    runtime: Runtime,
    /// The beginning of the packet after which a client is ready. Absent if the server speaks plain
    /// WebSocket without Socket.IO.
    pub(super) ready: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
enum Runtime {
    /// The program of `tests/peers`.
    Native,
    /// Node, with this script of `tests/peers/js`.
    Node(&'static str),
    /// Bun, with this script of `tests/peers/js`.
    Bun(&'static str),
}

impl Contender {
    const fn native(name: &'static str, title: &'static str, ready: Option<&'static str>) -> Self {
        Self {
            name,
            title,
            runtime: Runtime::Native,
            ready,
        }
    }

    const fn script(
        name: &'static str,
        title: &'static str,
        runtime: Runtime,
        ready: Option<&'static str>,
    ) -> Self {
        Self {
            name,
            title,
            runtime,
            ready,
        }
    }

    /// Returns the interval of the server's pings if it is asked for this one.
    pub(super) fn ping(&self, wanted: Duration) -> Duration {
        match (self.runtime, self.ready) {
            (Runtime::Bun(_), None) => BUN_PING,
            _ => wanted,
        }
    }

    /// Returns the command that starts the server on its core.
    pub(super) fn command(&self, cores: Cores) -> Command {
        let (program, argument) = match self.runtime {
            Runtime::Native => (binary("metaia-peers"), PathBuf::from(self.name)),
            Runtime::Node(script) => (PathBuf::from("node"), package_path("peers/js").join(script)),
            Runtime::Bun(script) => (bun(), package_path("peers/js").join(script)),
        };
        let mut command = cores.server_command(&program);
        command.arg(argument);
        command
    }
}

/// All servers, in the order of the table.
static ALL: [Contender; 9] = [
    Contender::native("floor", FLOOR, None),
    Contender::native("busy-floor", BUSY_FLOOR, None),
    Contender::native("batching-floor", BATCHING_FLOOR, None),
    Contender::native("memory", "METAIA, MemoryLog", Some(READY)),
    Contender::native("sqlite", "METAIA, SqliteLog `full`", Some(READY)),
    Contender::native("socketioxide", "socketioxide", Some(CONNECTED)),
    Contender::script(
        "socketio-node",
        "Socket.IO on Node",
        Runtime::Node("socketio.mjs"),
        Some(CONNECTED),
    ),
    Contender::script(
        "socketio-bun",
        "Socket.IO on Bun",
        Runtime::Bun("socketio.mjs"),
        Some(CONNECTED),
    ),
    Contender::script(
        "bun-publish",
        "Bun `publish`, no Socket.IO",
        Runtime::Bun("publish.mjs"),
        None,
    ),
];

/// Returns the names of all servers.
pub(super) fn names() -> Vec<&'static str> {
    ALL.iter().map(|contender| contender.name).collect()
}

/// Returns the chosen servers, and always the floors. Servers on Bun are left out if Bun does not
/// start here.
pub(super) async fn chosen(choice: &Choice) -> Vec<&'static Contender> {
    let is_wanted = |contender: &&Contender| {
        let is_floor = [FLOOR, BATCHING_FLOOR].contains(&contender.title);
        is_floor || choice.has_server(contender.name)
    };
    let mut chosen: Vec<_> = ALL.iter().filter(is_wanted).collect();
    let is_on_bun = |contender: &&Contender| matches!(contender.runtime, Runtime::Bun(_));
    if chosen.iter().any(is_on_bun) && !has_bun().await {
        let bun = bun();
        eprintln!(
            "servers on Bun are left out: {} does not start",
            bun.display()
        );
        chosen.retain(|contender| !is_on_bun(contender));
    }
    chosen
}

async fn has_bun() -> bool {
    if !bun().exists() {
        return false;
    }
    let mut command = Command::new(bun());
    command.arg("--version");
    Process::run(command).await.code == Some(0)
}

/// Returns the path of Bun in its package for this machine.
fn bun() -> PathBuf {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "x64",
        other => other,
    };
    let package = format!("bun-linux-{architecture}");
    package_path("peers/js/node_modules/@oven")
        .join(package)
        .join("bin/bun")
}
