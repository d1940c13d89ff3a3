//! A program of `examples/`, as a process on a port that it picks itself.

use tokio::process::Command;

use crate::paths;
use crate::process::Process;
use crate::rest::{Api, http_client};
use crate::server::Listening;
use crate::token::SECRET;

/// A running example.
#[derive(Debug)]
pub struct Example {
    process: Process,
    port: u16,
}

impl Example {
    /// Starts it and waits until it listens.
    pub async fn start(name: &str) -> Self {
        let mut command = Command::new(paths::example(name));
        command.env_clear().env("PORT", "0").env("JWT_SECRET", SECRET);
        let process = Process::start(command);
        let announced = |lines: &[String]| lines.iter().find_map(|line| port_in(line));
        let port = process.stdout.wait_for("the line with the address", announced).await;
        Self { process, port }
    }

    /// REST, without credentials.
    #[must_use]
    pub fn api(&self) -> Api {
        Api::new(&self.url(), http_client())
    }

    /// Ends it politely and checks that it exits with 0.
    pub async fn stop(self) {
        self.process.signal("TERM").await;
        self.process.ended().await.with_code(0);
    }
}

impl Listening for Example {
    fn port(&self) -> u16 {
        self.port
    }
}

fn port_in(line: &str) -> Option<u16> {
    line.strip_prefix("listening on http://")?.rsplit_once(':')?.1.parse().ok()
}
