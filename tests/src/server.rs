//! The real `metaia-server` in a folder of its own, on a port that it picks itself.

use std::collections::BTreeMap;
use std::process::ExitStatus;

use tokio::process::Command;

use crate::cluster::Database;
use crate::eventually::eventually;
use crate::folder::Folder;
use crate::journal::Journal;
use crate::paths::binary;
use crate::place::Place;
use crate::process::{Ended, Process};
use crate::rest::{Api, http_client};
use crate::token::token;
use crate::{razorpay, token as tokens};

/// The backend key that the servers under test are started with.
pub const API_KEY: &str = "e2e-api-key-c0ffee5d41402abc4b2a76b9";

/// How a server will be started: an environment and a folder that outlive it, so that it can be started again.
#[derive(Debug)]
pub struct Setup {
    folder: Folder,
    env: BTreeMap<String, String>,
    place: Place,
    /// Its own, where the tests are run on MongoDB. Made at the first start.
    database: Option<Database>,
}

/// With `METAIA_TEST_STORE=mongodb` every server that is not told otherwise is on an empty database of MongoDB's instead of
/// on a file of its own: the same tests, the same answers.
fn on_mongodb() -> bool {
    std::env::var_os("METAIA_TEST_STORE").is_some_and(|store| store == "mongodb")
}

impl Setup {
    /// Development, all secrets set, a new folder, `PORT=0`.
    #[must_use]
    pub fn new() -> Self {
        let env = [
            ("PORT", "0"),
            // Many are started at once, and the default is one port.
            ("METAIA_METRICS_ADDR", "127.0.0.1:0"),
            ("JWT_SECRET", tokens::SECRET),
            ("METAIA_API_KEY", API_KEY),
            ("RAZORPAY_KEY_ID", "rzp_test_e2e"),
            ("RAZORPAY_KEY_SECRET", razorpay::KEY_SECRET),
            ("RAZORPAY_WEBHOOK_SECRET", razorpay::WEBHOOK_SECRET),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { folder: Folder::new(), env: BTreeMap::from(env), place: Place::here(), database: None }
    }

    /// With this variable in its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Without this variable.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.env.remove(name);
        self
    }

    /// On a port that it will be on at every start, so that clients find it again by themselves.
    #[must_use]
    pub fn at_one_port(self) -> Self {
        self.env("PORT", &crate::ports::unused().to_string())
    }

    /// In this place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// The port that it will be on at every start, where it has one.
    #[must_use]
    pub fn fixed_port(&self) -> Option<u16> {
        self.env.get("PORT")?.parse().ok().filter(|port| *port != 0)
    }

    /// The folder that it runs in; its data are in `data`, unless `METAIA_DATA` says otherwise.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Starts it and waits until it listens.
    pub async fn start(mut self) -> Server {
        self.choose_store().await;
        let process = Process::called("metaia-server", self.command());
        let Some(port) = listening_port(&process).await else {
            panic!("the server ended instead of listening: {:#?}", process.said());
        };
        let on_mongodb = self.database.is_some();
        let server = Server { setup: self, process: Said(process), port, client: http_client() };
        if on_mongodb {
            // It listens before it has met its database.
            server.ready().await;
        }
        server
    }

    /// Starts it so that it may crash before it listens; then the setup comes back.
    pub async fn try_start(mut self) -> Result<Server, Self> {
        self.choose_store().await;
        let process = Process::called("metaia-server", self.command());
        match listening_port(&process).await {
            Some(port) => Ok(Server { setup: self, process: Said(process), port, client: http_client() }),
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

    /// Starts it and waits until it ends by itself: for what it must refuse.
    pub async fn run_to_end(&self) -> Ended {
        Process::run(self.command()).await
    }

    /// The command that runs it with these arguments.
    #[must_use]
    pub fn command_with(&self, args: &[&str]) -> Command {
        let mut command = self.command();
        command.args(args);
        command
    }

    fn command(&self) -> Command {
        let mut command = self.place.command(binary("metaia-server"));
        // What starts it in its place is found by the path.
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("METAIA_DATA", self.folder.join("data")).envs(&self.env);
        command.current_dir(self.folder.path());
        command
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self::new()
    }
}

/// `None` where it ends instead.
async fn listening_port(process: &Process) -> Option<u16> {
    process.stdout.find(|lines| lines.iter().find_map(|line| port_in(line))).await
}

fn port_in(line: &str) -> Option<u16> {
    line.split_once("running on port ")?.1.trim().parse().ok()
}

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
        format!("http://{}:{}", self.setup.place.address(), self.port)
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
        let ready = async || self.anonymous().try_get("/readyz").await.filter(|answer| answer.status == 200);
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

    /// Waits until it ends by itself, as by a crash, and hands back its folder and environment for another start.
    pub async fn crashed(mut self) -> Setup {
        let status = self.wait().await;
        assert!(!status.success(), "a crash, not an end: {:#?}", self.said());
        self.setup
    }

    /// Waits until it ends after it was asked to, checks that it exits with 0, and hands back its folder and environment.
    pub async fn ended_well(mut self) -> Setup {
        let status = self.wait().await;
        assert_eq!(status.code(), Some(0), "after SIGTERM: {:#?}", self.said());
        self.setup
    }

    /// Ends it politely (SIGTERM), checks that it exits with 0, and hands back its folder and environment.
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
