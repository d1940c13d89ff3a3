//! The real `metaia-server` in its own folder, on a port that it chooses itself.
//!
//! [`Setup`] configures and starts a [`Server`]. [`rest`] is its API, [`process`] any child
//! process, [`journal`] the output of one. [`temp_folder`], [`ports`], [`paths`] and [`host`] say
//! where things are.

pub mod host;
pub mod journal;
pub mod paths;
pub mod ports;
pub mod process;
pub mod rest;
mod setup;
pub mod temp_folder;

use std::net::Ipv4Addr;
use std::process::ExitStatus;

use crate::clients::way::Way;
use crate::eventually::eventually;
use crate::fixtures::token::token;
use crate::server::journal::Journal;
use crate::server::process::Process;
use crate::server::rest::Api;
use crate::server::temp_folder::TempFolder;

pub use setup::Setup;

/// The backend key that the servers under test are started with.
pub const API_KEY: &str = "e2e-api-key-c0ffee5d41402abc4b2a76b9";

/// A process that listens on a port of this machine.
pub trait Listening {
    /// Returns the port.
    fn port(&self) -> u16;

    /// Returns the URL for clients.
    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// Returns the way in which phones connect.
    fn way(&self) -> Way {
        Way::WebSocket
    }

    /// Returns the address from which phones connect that need several connections, unless the
    /// system chooses it.
    fn client_address(&self) -> Option<Ipv4Addr> {
        None
    }
}

impl<S: Listening + ?Sized> Listening for &S {
    fn port(&self) -> u16 {
        S::port(self)
    }

    fn url(&self) -> String {
        S::url(self)
    }

    fn way(&self) -> Way {
        S::way(self)
    }

    fn client_address(&self) -> Option<Ipv4Addr> {
        S::client_address(self)
    }
}

impl Listening for Server {
    fn port(&self) -> u16 {
        self.port
    }

    fn url(&self) -> String {
        format!("http://{}:{}", self.setup.host().address(), self.port)
    }
}

/// A running server. If its test fails, its last output lines are printed.
#[derive(Debug)]
pub struct Server {
    // Dropped in this order: the process ends before its folder is removed.
    process: OutputOnPanic,
    setup: Setup,
    port: u16,
    client: reqwest::Client,
}

impl Server {
    /// Starts a server with the default setup.
    pub async fn start() -> Self {
        Setup::new().start().await
    }

    /// Returns the setup that the server was started with.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Returns the folder that the server runs in.
    #[must_use]
    pub fn folder(&self) -> &TempFolder {
        self.setup.folder()
    }

    /// Returns the journal of its standard output.
    #[must_use]
    pub fn stdout(&self) -> &Journal<String> {
        &self.process.0.stdout
    }

    /// Returns all lines so far: standard output, then standard error.
    #[must_use]
    pub fn output_lines(&self) -> Vec<String> {
        self.process.0.output_lines()
    }

    /// Waits for a line that contains this text, on either output.
    pub async fn wait_for_output(&self, text: &str) {
        let lines = |line: &String| line.contains(text);
        tokio::select! {
            _ = self.process.0.stdout.first(text, lines) => (),
            _ = self.process.0.stderr.first(text, lines) => (),
        }
    }

    /// Reads the metrics, at the address that the start prints.
    pub async fn metrics(&self) -> String {
        let find = |lines: &[String]| {
            let line = lines.iter().find(|line| line.contains("/metrics"))?;
            line.split_whitespace().last().map(str::to_owned)
        };
        let address = self.stdout().wait_for("the metrics' address", find).await;
        let base = address.trim_end_matches("/metrics");
        let api = Api::new(base, self.client.clone());
        api.get("/metrics").await.text
    }

    /// Waits until `/readyz` is 200.
    pub async fn ready(&self) {
        let ready = async || {
            self.anonymous()
                .try_get("/readyz")
                .await
                .filter(|answer| answer.status == 200)
        };
        eventually("the server to be ready", ready).await;
    }

    /// Returns the process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.0.pid()
    }

    /// Returns the REST API as this user.
    #[must_use]
    pub fn api(&self, role: &str, user: &str) -> Api {
        self.anonymous().bearer(&token(role, user))
    }

    /// Returns the REST API as the admin `a1`.
    #[must_use]
    pub fn admin(&self) -> Api {
        self.api("admin", "a1")
    }

    /// Returns the REST API without credentials.
    #[must_use]
    pub fn anonymous(&self) -> Api {
        Api::new(&self.url(), self.client.clone())
    }

    /// Sends a signal to the process.
    pub async fn signal(&self, signal: &str) {
        self.process.0.signal(signal).await;
    }

    /// Waits until the process has ended.
    pub async fn wait(&mut self) -> ExitStatus {
        self.process.0.wait().await
    }

    /// Kills the process with SIGKILL, as a power cut would, and returns its setup for another
    /// start.
    pub async fn kill(mut self) -> Setup {
        self.process.0.kill().await;
        self.setup
    }

    /// Waits until the process ends by itself with an error, as in a crash, and returns its setup
    /// for another start.
    pub async fn wait_for_crash(mut self) -> Setup {
        let status = self.wait().await;
        assert!(
            !status.success(),
            "the server must crash: {:#?}",
            self.output_lines()
        );
        self.setup
    }

    /// Waits until the process ends after a request, checks that it exits with 0, and returns its
    /// setup.
    pub async fn wait_for_clean_exit(mut self) -> Setup {
        let status = self.wait().await;
        assert_eq!(
            status.code(),
            Some(0),
            "after SIGTERM: {:#?}",
            self.output_lines()
        );
        self.setup
    }

    /// Stops the process with SIGTERM, checks that it exits with 0, and returns its setup.
    pub async fn stop(self) -> Setup {
        self.signal("TERM").await;
        self.wait_for_clean_exit().await
    }
}

#[derive(Debug)]
struct OutputOnPanic(Process);

impl Drop for OutputOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let lines = self.0.output_lines();
            let last = lines.len().saturating_sub(30);
            eprintln!("the server's last lines:\n{}", lines[last..].join("\n"));
        }
    }
}
