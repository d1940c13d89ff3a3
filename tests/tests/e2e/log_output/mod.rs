//! The server's own log: an output that stands still or refuses lines, a flood of refusals, and an
//! end that does not come. None of them stops the server.

mod broken;
mod flood;
mod standing;
mod watchdog;

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::PathBuf;

use metaia_tests::eventually::eventually;
use metaia_tests::server::paths::binary;
use metaia_tests::server::{Server, Setup};
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

/// A named pipe that the server writes to and that this test may leave unread.
struct Pipe {
    path: PathBuf,
    end: File,
}

impl Pipe {
    /// Creates a pipe in the folder of the setup.
    fn new(setup: &Setup) -> Self {
        let path = setup.folder().join("output.pipe");
        nix::unistd::mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        let mut options = OpenOptions::new();
        // With both ends open here, opening it does not wait for the server.
        options.read(true).write(true);
        options.custom_flags(OFlag::O_NONBLOCK.bits());
        let end = options.open(&path).unwrap();
        Self { path, end }
    }

    /// Fills the pipe.
    fn fill(&mut self) {
        let line = [b'x'; 4096];
        while self.end.write(&line).is_ok() {}
    }

    /// Returns what is in the pipe.
    fn read(&mut self) -> String {
        let mut bytes = Vec::new();
        match self.end.read_to_end(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            other => panic!("the pipe has no end while it is open here: {other:?}"),
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Makes the setup start its server with these redirections of a shell.
fn redirected(setup: Setup, redirections: &str) -> Setup {
    let program = binary("metaia-server");
    let script = format!("#!/bin/sh\nexec {} {redirections}\n", program.display());
    let script = setup.folder().write("start.sh", script);
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    setup.program(&script)
}

/// Returns the value of a metric without labels.
async fn metric(server: &Server, name: &str) -> u64 {
    let text = server.metrics().await;
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    let value = value.unwrap_or_else(|| panic!("{name} is not in {text}"));
    value.trim().parse().unwrap()
}

/// Asks for paths that do not exist, each of which is a long line of the log at `debug`, until
/// lines are lost.
async fn lose_lines(server: &Server) {
    let path = format!("/{}", "long".repeat(1_500));
    let lost = async || {
        for _ in 0..50 {
            server.anonymous().get(&path).await.refused(404);
        }
        let lost = metric(server, "metaia_output_lines_lost_total").await;
        (lost > 0).then_some(())
    };
    eventually("lines to be lost", lost).await;
}
