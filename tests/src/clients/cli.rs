//! The real `metaia` binary.

use std::path::PathBuf;

use tokio::process::Command;

use crate::clients::terminal::Terminal;
use crate::fixtures::{razorpay, token};
use crate::server::paths::binary;
use crate::server::process::{Process, ProcessOutput};
use crate::server::temp_folder::TempFolder;
use crate::server::{Listening, Server};

/// The configuration of a `metaia` call: the server's address and the source of the secrets.
#[derive(Debug)]
pub struct Cli {
    /// Empty for none.
    url: String,
    secrets: SecretSource,
    /// Further variables.
    env: Vec<(String, String)>,
    folder: TempFolder,
}

#[derive(Debug)]
enum SecretSource {
    /// The secrets are in the environment.
    Secret(String),
    /// The secrets are in the server's data folder, where a development server stores the ones that
    /// it generates.
    DataFolder(PathBuf),
    None,
}

impl Cli {
    /// Creates a configuration for this server, with the tests' secret.
    #[must_use]
    pub fn for_server(server: &Server) -> Self {
        Self::for_url(&server.url())
    }

    /// Creates a configuration for this address.
    #[must_use]
    pub fn for_url(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            secrets: SecretSource::Secret(token::SECRET.to_owned()),
            env: Vec::new(),
            folder: TempFolder::new(),
        }
    }

    /// Creates a configuration without an address and without secrets, as that of a person who uses
    /// contexts. The user's configuration folder is `.config` in the folder of the commands.
    #[must_use]
    pub fn for_contexts() -> Self {
        Self {
            secrets: SecretSource::None,
            ..Self::for_url("")
        }
    }

    /// Sets an environment variable; an empty one counts as unset.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Returns the folder that commands run in.
    #[must_use]
    pub fn folder(&self) -> &TempFolder {
        &self.folder
    }

    /// Replaces the secret.
    #[must_use]
    pub fn secret(mut self, secret: &str) -> Self {
        self.secrets = SecretSource::Secret(secret.to_owned());
        self
    }

    /// Uses the server's data folder instead of a secret.
    #[must_use]
    pub fn data_folder(mut self, path: PathBuf) -> Self {
        self.secrets = SecretSource::DataFolder(path);
        self
    }

    /// Runs a shell script, in which `$METAIA` is the program.
    pub async fn shell(&self, script: &str) -> ProcessOutput {
        let mut command = Command::new("sh");
        self.configure(&mut command);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command
            .env("PATH", path)
            .env("METAIA", binary("metaia"))
            .args(["-c", script]);
        Process::run(command).await
    }

    /// Runs the command to its end with this standard input.
    pub async fn run_with_input(&self, args: &[&str], input: &[u8]) -> ProcessOutput {
        Process::run_with_input(self.command(args), input).await
    }

    /// Runs the command to its end.
    pub async fn run(&self, args: &[&str]) -> ProcessOutput {
        Process::run(self.command(args)).await
    }

    /// Starts the command.
    #[must_use]
    pub fn start(&self, args: &[&str]) -> Process {
        Process::start(self.command(args))
    }

    /// Starts the command on a terminal.
    #[must_use]
    pub fn start_on_terminal(&self, args: &[&str]) -> Terminal {
        Terminal::start(self.command(args))
    }

    /// Starts the command on a terminal, with a change, such as another standard output.
    #[must_use]
    pub fn start_on_terminal_with(
        &self,
        args: &[&str],
        change: impl FnOnce(&mut Command),
    ) -> Terminal {
        Terminal::start_with(self.command(args), change)
    }

    /// Starts the command on a terminal of this width.
    #[must_use]
    pub fn start_on_terminal_of_width(&self, columns: u16, args: &[&str]) -> Terminal {
        Terminal::of_width(columns, self.command(args))
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binary("metaia"));
        self.configure(&mut command);
        command.args(args);
        command
    }

    fn configure(&self, command: &mut Command) {
        command
            .env_clear()
            // No command reads the contexts of the person who runs the tests.
            .env("HOME", self.folder.path());
        if !self.url.is_empty() {
            command.env("METAIA_URL", &self.url);
        }
        match &self.secrets {
            SecretSource::Secret(secret) => {
                command
                    .env("JWT_SECRET", secret)
                    .env("RAZORPAY_KEY_SECRET", razorpay::KEY_SECRET);
            }
            SecretSource::DataFolder(path) => {
                command.env("METAIA_DATA", path);
            }
            SecretSource::None => {}
        }
        for (name, value) in &self.env {
            command.env(name, value);
        }
        command.current_dir(self.folder.path());
    }
}
