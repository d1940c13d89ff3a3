//! One `mongod`, on an address that it keeps, with data that outlive it.

use std::path::Path;
use std::time::Duration;

use mongodb::Client;
use mongodb::bson::{Document, doc};
use mongodb::options::{ClientOptions, ServerAddress};

use crate::eventually::{eventually, within};
use crate::server::folder::Folder;
use crate::server::paths::mongod;
use crate::server::place::Place;
use crate::server::ports;
use crate::server::process::Process;

/// How long a question to one server may take, so that [`eventually`] asks often.
const PATIENCE: Duration = Duration::from_secs(2);

/// A server. Dropping it kills it and removes its data.
#[derive(Debug)]
pub struct Mongod {
    // Dropped in this order: the process ends before its folder goes.
    process: Option<Process>,
    folder: Folder,
    place: Place,
    port: u16,
    replica_set: Option<&'static str>,
}

impl Mongod {
    /// A standalone server on this machine.
    pub async fn standalone() -> Self {
        Self::start(Place::here(), None).await
    }

    /// A server there, of this replica set if there is one, which knows nothing of it yet.
    pub async fn start(place: Place, replica_set: Option<&'static str>) -> Self {
        let mut mongod = Self::planned(place, replica_set);
        mongod.run().await;
        mongod
    }

    /// A server to be: its address is known, and nothing listens there yet.
    #[must_use]
    pub fn planned(place: Place, replica_set: Option<&'static str>) -> Self {
        Self {
            process: None,
            folder: Folder::new(),
            place,
            port: ports::unused(),
            replica_set,
        }
    }

    /// Starts it, where it does not run, on the data that it had, and waits until it answers.
    pub async fn run(&mut self) {
        self.spawn();
        eventually("mongod to answer", async || self.ask("hello").await).await;
    }

    /// Starts it without waiting.
    pub(super) fn spawn(&mut self) {
        let data = self.folder.join("db");
        std::fs::create_dir_all(&data).expect("a folder");
        let mut command = self.place.command(mongod());
        command
            .arg("--dbpath")
            .arg(data)
            .arg("--logpath")
            .arg(self.folder.join("log"));
        command.args([
            "--quiet",
            "--nounixsocket",
            "--bind_ip",
            self.place.address(),
        ]);
        command.args([
            "--port",
            &self.port.to_string(),
            "--wiredTigerCacheSizeGB",
            "0.25",
        ]);
        command.args(["--setParameter", "diagnosticDataCollectionEnabled=false"]);
        if let Some(name) = self.replica_set {
            command.args(["--replSet", name, "--oplogSize", "64"]);
        }
        self.process = Some(Process::called("mongod", command));
    }

    /// `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", self.place.address(), self.port)
    }

    /// For clients of a standalone server: this database.
    #[must_use]
    pub fn uri(&self, database: &str) -> String {
        format!("mongodb://{}/{database}", self.address())
    }

    /// Ends it as a power cut would.
    pub async fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().await;
        }
    }

    /// Keeps it from doing anything, with all its connections open.
    pub async fn pause(&self) {
        self.running().signal("STOP").await;
    }

    /// Lets it go on.
    pub async fn resume(&self) {
        self.running().signal("CONT").await;
    }

    /// Kills it, keeps a copy of its data, and starts it again.
    pub async fn back_up(&mut self) {
        self.kill().await;
        copy(&self.folder.join("db"), &self.folder.join("backup"));
        self.run().await;
    }

    /// Kills it, and starts it on the copy that was kept.
    pub async fn restore(&mut self) {
        self.kill().await;
        std::fs::remove_dir_all(self.folder.join("db")).expect("its data are removed");
        copy(&self.folder.join("backup"), &self.folder.join("db"));
        self.run().await;
    }

    /// Its process's number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.running().pid()
    }

    /// Whether it has been started and not been killed.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.process.is_some()
    }

    fn running(&self) -> &Process {
        self.process.as_ref().expect("mongod runs")
    }

    /// What it answers to a command without arguments; `None` where it does not answer soon.
    pub async fn ask(&self, command: &str) -> Option<Document> {
        self.command(doc! { command: 1 }).await.ok()
    }

    /// Has it carry out a command of the database `admin`.
    ///
    /// # Errors
    /// It refuses, or does not answer soon.
    pub async fn command(&self, command: Document) -> Result<Document, String> {
        let address = self.address();
        let asking = tokio::spawn(async move { carry_out(&address, command).await });
        let answer = within("mongod to answer or the driver to give up", asking).await;
        answer.expect("the driver does not panic")
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).expect("a file is copied");
        }
    }
}

/// By a connection of its own, which no failure of others has touched.
async fn carry_out(address: &str, command: Document) -> Result<Document, String> {
    let address = ServerAddress::parse(address).map_err(|error| error.to_string())?;
    let options = ClientOptions::builder()
        .hosts(vec![address])
        .direct_connection(true);
    let options = options
        .server_selection_timeout(PATIENCE)
        .connect_timeout(PATIENCE)
        .build();
    let client = Client::with_options(options).map_err(|error| error.to_string())?;
    let answer = client.database("admin").run_command(command).await;
    client.shutdown().immediate(true).await;
    answer.map_err(|error| error.to_string())
}
