//! The real `metaia` binary.

use tokio::process::Command;

use crate::folder::Folder;
use crate::paths::binary;
use crate::process::{Ended, Process};
use crate::server::Server;
use crate::token;

/// How `metaia` is called: its server and its secret.
#[derive(Debug)]
pub struct Cli {
    url: String,
    secret: Option<String>,
    folder: Folder,
}

impl Cli {
    /// For this server, with the secret that it knows.
    #[must_use]
    pub fn of(server: &Server) -> Self {
        Self::at(&server.url())
    }

    /// For whatever is at this address.
    #[must_use]
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned(), secret: Some(token::SECRET.to_owned()), folder: Folder::new() }
    }

    /// With another secret.
    #[must_use]
    pub fn secret(mut self, secret: &str) -> Self {
        self.secret = Some(secret.to_owned());
        self
    }

    /// Runs it to its end.
    pub async fn run(&self, args: &[&str]) -> Ended {
        Process::run(self.command(args)).await
    }

    /// Starts it.
    #[must_use]
    pub fn start(&self, args: &[&str]) -> Process {
        Process::start(self.command(args))
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binary("metaia"));
        command.env_clear().env("METAIA_URL", &self.url).env("HOME", self.folder.path());
        command.envs(self.secret.iter().map(|secret| ("JWT_SECRET", secret)));
        command.current_dir(self.folder.path()).args(args);
        command
    }
}
