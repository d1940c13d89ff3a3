//! The configuration of a server before it is started.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::{API_KEY, OutputOnPanic, Server};
use crate::faults::cluster::Database;
use crate::fixtures::{razorpay, token as tokens};
use crate::server::host::Host;
use crate::server::paths::binary;
use crate::server::process::{Process, ProcessOutput};
use crate::server::rest::http_client;
use crate::server::temp_folder::TempFolder;

/// The configuration of a server: an environment and a folder. Both outlive the process, so that
/// the server can be started again.
#[derive(Debug)]
pub struct Setup {
    folder: TempFolder,
    env: BTreeMap<String, String>,
    host: Host,
    program: PathBuf,
    /// The server's own database, if the tests run on MongoDB. Created at the first start.
    database: Option<Database>,
}

/// Returns whether the tests run on MongoDB. With `METAIA_TEST_STORE=mongodb` every server without
/// a `MONGODB_URI` gets an empty MongoDB database instead of a file: the same tests expect the same
/// responses.
fn on_mongodb() -> bool {
    std::env::var_os("METAIA_TEST_STORE").is_some_and(|store| store == "mongodb")
}

impl Setup {
    /// Returns a development setup with all secrets, a new folder and `PORT=0`.
    #[must_use]
    pub fn new() -> Self {
        let env = [
            ("PORT", "0"),
            // Many servers run at the same time, and the default is one fixed port.
            ("METAIA_METRICS_ADDR", "127.0.0.1:0"),
            ("JWT_SECRET", tokens::SECRET),
            ("METAIA_API_KEY", API_KEY),
            ("RAZORPAY_KEY_ID", "rzp_test_e2e"),
            ("RAZORPAY_KEY_SECRET", razorpay::KEY_SECRET),
            ("RAZORPAY_WEBHOOK_SECRET", razorpay::WEBHOOK_SECRET),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            folder: TempFolder::new(),
            env: BTreeMap::from(env),
            host: Host::local(),
            program: binary("metaia-server"),
            database: None,
        }
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Removes an environment variable.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.env.remove(name);
        self
    }

    /// Chooses a port that stays the same at every start, so that clients can reconnect by
    /// themselves.
    #[must_use]
    pub fn with_fixed_port(self) -> Self {
        self.env("PORT", &crate::server::ports::unused().to_string())
    }

    /// Sets the host that the server runs on.
    #[must_use]
    pub fn on_host(mut self, host: Host) -> Self {
        self.host = host;
        // The tests reach it by the address of its namespace, not by the loopback one.
        if self.host.namespace().is_some() {
            return self.env("METAIA_HOST", "0.0.0.0");
        }
        self
    }

    /// Sets the program to start, for a server of another version.
    #[must_use]
    pub fn program(mut self, path: &Path) -> Self {
        self.program = path.to_owned();
        self
    }

    /// Returns the host that the server runs on.
    pub(super) const fn host(&self) -> &Host {
        &self.host
    }

    /// Returns the port that stays the same at every start, if one is set.
    #[must_use]
    pub fn fixed_port(&self) -> Option<u16> {
        self.env.get("PORT")?.parse().ok().filter(|port| *port != 0)
    }

    /// Returns the folder that the server runs in. Its data are in `data`, unless `METAIA_DATA` is
    /// set.
    #[must_use]
    pub fn folder(&self) -> &TempFolder {
        &self.folder
    }

    /// Starts the server and waits until it listens.
    pub async fn start(mut self) -> Server {
        self.choose_store().await;
        let process = Process::start_named("metaia-server", self.command());
        let Some(port) = listening_port(&process).await else {
            panic!(
                "the server ended instead of listening: {:#?}",
                process.output_lines()
            );
        };
        let on_mongodb = self.database.is_some();
        let server = Server {
            setup: self,
            process: OutputOnPanic(process),
            port,
            client: http_client(),
        };
        if on_mongodb {
            // The server listens before it has connected to its database.
            server.ready().await;
        }
        server
    }

    /// Starts the server, which may crash before it listens. Returns the setup if it does.
    pub async fn try_start(mut self) -> Result<Server, Self> {
        self.choose_store().await;
        let process = Process::start_named("metaia-server", self.command());
        match listening_port(&process).await {
            Some(port) => Ok(Server {
                setup: self,
                process: OutputOnPanic(process),
                port,
                client: http_client(),
            }),
            None => Err(self),
        }
    }

    async fn choose_store(&mut self) {
        if on_mongodb() && !self.env.contains_key("MONGODB_URI") {
            let database = Database::new().await;
            self.env.insert("MONGODB_URI".to_owned(), database.uri());
            self.database = Some(database);
        }
    }

    /// Starts the server and waits until it ends by itself, for a configuration that it must
    /// refuse.
    pub async fn run_to_end(&self) -> ProcessOutput {
        Process::run(self.command()).await
    }

    /// Returns the command that runs the server's binary with these arguments.
    #[must_use]
    pub fn command_with(&self, args: &[&str]) -> Command {
        let mut command = self.command();
        command.args(args);
        command
    }

    fn command(&self) -> Command {
        let mut command = self.host.command(&self.program);
        // The wrapper that starts the process on its host is looked up in `PATH`.
        let path = std::env::var_os("PATH").unwrap_or_default();
        command
            .env_clear()
            .env("PATH", path)
            .env("METAIA_DATA", self.folder.join("data"))
            .envs(&self.env);
        command.current_dir(self.folder.path());
        command
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self::new()
    }
}

/// Waits for the port. Returns `None` if the process ends instead.
async fn listening_port(process: &Process) -> Option<u16> {
    process
        .stdout
        .find(|lines| lines.iter().find_map(|line| port_in(line)))
        .await
}

fn port_in(line: &str) -> Option<u16> {
    line.split_once("running on port ")?.1.trim().parse().ok()
}
