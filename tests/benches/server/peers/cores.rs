//! The core of the servers, and the core of this program.

use std::ffi::OsStr;
use std::fmt;
use std::fs;

use metaia_tests::figures::allowed_cores;
use metaia_tests::server::process::Process;
use tokio::process::Command;

/// The cores that the server under test and this program run on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cores {
    /// Each of them on a core of its own.
    Own {
        /// The server's.
        server: usize,
    },
    /// There is one core only.
    Shared,
}

impl Cores {
    /// Takes the first core for servers and the last one for this program, whose threads move there
    /// now.
    pub(super) async fn choose() -> Self {
        let status = fs::read_to_string("/proc/self/status").expect("/proc/self/status");
        let cores = allowed_cores(&status);
        let (Some(server), Some(ours)) = (cores.first(), cores.last()) else {
            return Self::Shared;
        };
        if server == ours {
            return Self::Shared;
        }
        move_to(*ours).await;
        Self::Own { server: *server }
    }

    /// Returns a command that runs a program on the servers' core.
    pub(super) fn server_command(self, program: impl AsRef<OsStr>) -> Command {
        match self {
            Self::Shared => Command::new(program),
            Self::Own { server } => {
                let mut command = Command::new("taskset");
                command.arg("-c").arg(server.to_string()).arg(program);
                command
            }
        }
    }
}

/// Moves all threads of this process to a core. Threads and processes that are started later follow
/// them.
async fn move_to(core: usize) {
    let mut command = Command::new("taskset");
    command.args(["-a", "-c", "-p"]);
    command.arg(core.to_string());
    command.arg(std::process::id().to_string());
    Process::run(command).await.expect_code(0);
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own { .. } => "server and clients each on a core of their own",
            Self::Shared => "server and clients SHARE one core",
        })
    }
}
