//! The host that a process runs on: this machine, or a network namespace with its own address.

use std::process::Stdio;
use std::sync::OnceLock;

use tokio::process::Command;

/// A host. A clone is the same host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Host {
    /// The namespace's name and its address. Absent for this machine.
    namespace: Option<(String, String)>,
}

impl Host {
    /// Returns this machine, at `127.0.0.1`.
    #[must_use]
    pub const fn local() -> Self {
        Self { namespace: None }
    }

    /// Returns the namespace of this name, with this address.
    #[must_use]
    pub fn namespaced(name: &str, address: &str) -> Self {
        Self {
            namespace: Some((name.to_owned(), address.to_owned())),
        }
    }

    /// Returns the address of the processes that listen on the host.
    #[must_use]
    pub fn address(&self) -> &str {
        self.namespace
            .as_ref()
            .map_or("127.0.0.1", |(_, address)| address)
    }

    /// Returns the namespace's name, if the host is one.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_ref().map(|(name, _)| name.as_str())
    }

    /// Returns a command that runs on the host. The process dies with the thread that starts it, so
    /// that none outlives its test, however the test ends.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut words = Vec::new();
        if bound_processes() {
            words.extend(["setpriv", "--pdeathsig", "KILL"]);
        }
        words.extend(
            self.namespace()
                .into_iter()
                .flat_map(|name| ["ip", "netns", "exec", name]),
        );
        let mut words = words.into_iter();
        let Some(first) = words.next() else {
            return Command::new(program);
        };
        let mut command = Command::new(first);
        command.args(words).arg(program);
        command
    }
}

/// Returns whether `setpriv` can bind a process to the life of its parent on this machine.
/// Otherwise only `Drop` ends a process.
fn bound_processes() -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        let mut probe = std::process::Command::new("setpriv");
        probe
            .args(["--pdeathsig", "KILL", "true"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    })
}
