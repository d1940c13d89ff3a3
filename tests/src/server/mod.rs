//! The real `metaia-server` in a folder of its own, on a port that it picks itself.

pub mod folder;
pub mod journal;
pub mod paths;
pub mod place;
pub mod ports;
pub mod process;
pub mod rest;
mod setup;

use std::process::ExitStatus;

use crate::eventually::eventually;
use crate::fixtures::token::token;
use crate::server::folder::Folder;
use crate::server::journal::Journal;
use crate::server::process::Process;
use crate::server::rest::Api;

pub use setup::Setup;

/// The backend key that the servers under test are started with.
pub const API_KEY: &str = "e2e-api-key-c0ffee5d41402abc4b2a76b9";

/// Something that listens on a port of this machine.
pub trait Listening {
    /// The port it picked.
    fn port(&self) -> u16;

    /// Where clients find it.
    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }
}

impl Listening for Server {
    fn port(&self) -> u16 {
        self.port
    }

    fn url(&self) -> String {
        format!("http://{}:{}", self.setup.place().address(), self.port)
    }
}

/// A running server. When its test fails, what it said last is shown.
#[derive(Debug)]
pub struct Server {
    // Dropped in this order: the process ends before its folder goes.
    process: Said,
    setup: Setup,
    port: u16,
    client: reqwest::Client,
}

impl Server {
    /// A server with everything as it is by default.
    pub async fn start() -> Self {
        Setup::new().start().await
    }

    /// What it was started with.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The folder that it runs in.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        self.setup.folder()
    }

    /// What it prints on standard output.
    #[must_use]
    pub fn stdout(&self) -> &Journal<String> {
        &self.process.0.stdout
    }

    /// Everything it said so far, on both outputs.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        self.process.0.said()
    }

    /// Waits until it has said something, on either output.
    pub async fn says(&self, text: &str) {
        let said = |line: &String| line.contains(text);
        tokio::select! {
            _ = self.process.0.stdout.first(text, said) => (),
            _ = self.process.0.stderr.first(text, said) => (),
        }
    }

    /// Waits until it says that it is ready.
    pub async fn ready(&self) {
        let ready = async || {
            self.anonymous()
                .try_get("/readyz")
                .await
                .filter(|answer| answer.status == 200)
        };
        eventually("the server to be ready", ready).await;
    }

    /// Its process's number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.0.pid()
    }

    /// REST as this user.
    #[must_use]
    pub fn api(&self, role: &str, user: &str) -> Api {
        self.anonymous().bearer(&token(role, user))
    }

    /// REST as `admin` `a1`.
    #[must_use]
    pub fn admin(&self) -> Api {
        self.api("admin", "a1")
    }

    /// REST without any credentials.
    #[must_use]
    pub fn anonymous(&self) -> Api {
        Api::new(&self.url(), self.client.clone())
    }

    /// Sends it a signal.
    pub async fn signal(&self, signal: &str) {
        self.process.0.signal(signal).await;
    }

    /// Waits until it has ended.
    pub async fn wait(&mut self) -> ExitStatus {
        self.process.0.wait().await
    }

    /// Ends it as a power cut would, and hands back its folder and environment for another start.
    pub async fn killed(mut self) -> Setup {
        self.process.0.kill().await;
        self.setup
    }

    /// Waits until it ends by itself, as by a crash, and hands back its folder and environment for
    /// another start.
    pub async fn crashed(mut self) -> Setup {
        let status = self.wait().await;
        assert!(!status.success(), "a crash, not an end: {:#?}", self.said());
        self.setup
    }

    /// Waits until it ends after it was asked to, checks that it exits with 0, and hands back its
    /// folder and environment.
    pub async fn ended_well(mut self) -> Setup {
        let status = self.wait().await;
        assert_eq!(status.code(), Some(0), "after SIGTERM: {:#?}", self.said());
        self.setup
    }

    /// Ends it politely (SIGTERM), checks that it exits with 0, and hands back its folder and
    /// environment.
    pub async fn stopped(self) -> Setup {
        self.signal("TERM").await;
        self.ended_well().await
    }
}

#[derive(Debug)]
struct Said(Process);

impl Drop for Said {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let said = self.0.said();
            let last = said.len().saturating_sub(30);
            eprintln!("the server's last lines:\n{}", said[last..].join("\n"));
        }
    }
}
