//! How a server will be started.

use std::collections::BTreeMap;

use tokio::process::Command;

use super::{API_KEY, Said, Server};
use crate::faults::cluster::Database;
use crate::fixtures::{razorpay, token as tokens};
use crate::server::folder::Folder;
use crate::server::paths::binary;
use crate::server::place::Place;
use crate::server::process::{Ended, Process};
use crate::server::rest::http_client;

/// How a server will be started: an environment and a folder that outlive it, so that it can be
/// started again.
#[derive(Debug)]
pub struct Setup {
    folder: Folder,
    env: BTreeMap<String, String>,
    place: Place,
    /// Its own, where the tests are run on MongoDB. Made at the first start.
    database: Option<Database>,
}

/// With `METAIA_TEST_STORE=mongodb` every server that is not told otherwise is on an empty database
/// of MongoDB's instead of on a file of its own: the same tests, the same answers.
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
        Self {
            folder: Folder::new(),
            env: BTreeMap::from(env),
            place: Place::here(),
            database: None,
        }
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
        self.env("PORT", &crate::server::ports::unused().to_string())
    }

    /// In this place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// Where it runs.
    pub(super) const fn place(&self) -> &Place {
        &self.place
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
            panic!(
                "the server ended instead of listening: {:#?}",
                process.said()
            );
        };
        let on_mongodb = self.database.is_some();
        let server = Server {
            setup: self,
            process: Said(process),
            port,
            client: http_client(),
        };
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
            Some(port) => Ok(Server {
                setup: self,
                process: Said(process),
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

/// `None` where it ends instead.
async fn listening_port(process: &Process) -> Option<u16> {
    process
        .stdout
        .find(|lines| lines.iter().find_map(|line| port_in(line)))
        .await
}

fn port_in(line: &str) -> Option<u16> {
    line.split_once("running on port ")?.1.trim().parse().ok()
}
