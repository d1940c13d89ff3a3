//! Where a process runs: on this machine as it is, or in a network namespace with an address of its
//! own.

use std::process::Stdio;
use std::sync::OnceLock;

use tokio::process::Command;

/// A place; a clone is the same one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The namespace's name and its address; absent where it is this machine.
    namespace: Option<(String, String)>,
}

impl Place {
    /// This machine, at `127.0.0.1`.
    #[must_use]
    pub const fn here() -> Self {
        Self { namespace: None }
    }

    /// The namespace of this name, where it has this address.
    #[must_use]
    pub fn inside(name: &str, address: &str) -> Self {
        Self {
            namespace: Some((name.to_owned(), address.to_owned())),
        }
    }

    /// The address of whatever listens there.
    #[must_use]
    pub fn address(&self) -> &str {
        self.namespace
            .as_ref()
            .map_or("127.0.0.1", |(_, address)| address)
    }

    /// The namespace's name, if it is one.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_ref().map(|(name, _)| name.as_str())
    }

    /// A command that runs there, and dies with the thread that starts it: no process outlives its
    /// test, however that ends.
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

/// Whether a process can be bound to the life of its parent here. Where not, only `Drop` ends it.
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
