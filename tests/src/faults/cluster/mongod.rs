//! One `mongod` with a fixed address, and with data that survive a kill.

use std::time::Duration;

use mongodb::Client;
use mongodb::bson::{Document, doc};
use mongodb::options::{ClientOptions, ServerAddress};

use crate::eventually::{eventually, within};
use crate::server::host::Host;
use crate::server::paths::mongod;
use crate::server::ports;
use crate::server::process::Process;
use crate::server::temp_folder::{TempFolder, copy_folder};

/// The longest time that one command may take. It is short, so that [`eventually`] asks often.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(2);

/// A `mongod`. Dropping it kills the process and removes its data.
#[derive(Debug)]
pub struct Mongod {
    // Dropped in this order: the process ends before its folder is removed.
    process: Option<Process>,
    folder: TempFolder,
    host: Host,
    port: u16,
    replica_set: Option<&'static str>,
}

impl Mongod {
    /// Starts a standalone server on this machine.
    pub async fn standalone() -> Self {
        Self::start_on(Host::local(), None).await
    }

    /// Starts a server on this host. With a replica set's name it is a member that has not been
    /// initiated yet.
    pub async fn start_on(host: Host, replica_set: Option<&'static str>) -> Self {
        let mut mongod = Self::planned(host, replica_set);
        mongod.run().await;
        mongod
    }

    /// Creates a server without starting it: its address is known, and no process listens there.
    #[must_use]
    pub fn planned(host: Host, replica_set: Option<&'static str>) -> Self {
        Self {
            process: None,
            folder: TempFolder::new(),
            host,
            port: ports::unused(),
            replica_set,
        }
    }

    /// Starts the process with the existing data and waits until it responds.
    pub async fn run(&mut self) {
        self.spawn();
        eventually("mongod to answer", async || self.ask("hello").await).await;
    }

    /// Starts the process without waiting.
    pub(super) fn spawn(&mut self) {
        let data = self.folder.join("db");
        std::fs::create_dir_all(&data).expect("a folder");
        let mut command = self.host.command(mongod());
        command
            .arg("--dbpath")
            .arg(data)
            .arg("--logpath")
            .arg(self.folder.join("log"));
        command.args([
            "--quiet",
            "--nounixsocket",
            "--bind_ip",
            self.host.address(),
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
        self.process = Some(Process::start_named("mongod", command));
    }

    /// Returns `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", self.host.address(), self.port)
    }

    /// Returns the URI of this database for clients of a standalone server.
    #[must_use]
    pub fn uri(&self, database: &str) -> String {
        format!("mongodb://{}/{database}", self.address())
    }

    /// Kills the process with SIGKILL, as a power cut would.
    pub async fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().await;
        }
    }

    /// Stops the process with SIGSTOP. Its connections stay open.
    pub async fn pause(&self) {
        self.running().signal("STOP").await;
    }

    /// Continues the process after a pause.
    pub async fn resume(&self) {
        self.running().signal("CONT").await;
    }

    /// Kills the process, copies its data, and starts it again.
    pub async fn back_up(&mut self) {
        self.kill().await;
        copy_folder(&self.folder.join("db"), &self.folder.join("backup"));
        self.run().await;
    }

    /// Kills the process, and starts it with the copied data.
    pub async fn restore(&mut self) {
        self.kill().await;
        std::fs::remove_dir_all(self.folder.join("db")).expect("its data are removed");
        copy_folder(&self.folder.join("backup"), &self.folder.join("db"));
        self.run().await;
    }

    /// Returns the process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.running().pid()
    }

    /// Returns whether it has been started and not killed.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.process.is_some()
    }

    fn running(&self) -> &Process {
        self.process.as_ref().expect("mongod runs")
    }

    /// Runs a command without arguments. Returns `None` if there is no response within
    /// 2 s (`COMMAND_TIMEOUT`).
    pub async fn ask(&self, command: &str) -> Option<Document> {
        self.command(doc! { command: 1 }).await.ok()
    }

    /// Runs a command of the database `admin`.
    ///
    /// # Errors
    ///
    /// Returns the driver's text if the server refuses the command or does not respond within
    /// 2 s (`COMMAND_TIMEOUT`).
    pub async fn command(&self, command: Document) -> Result<Document, String> {
        let address = self.address();
        let asking = tokio::spawn(async move { carry_out(&address, command).await });
        let answer = within("mongod to answer or the driver to give up", asking).await;
        answer.expect("the driver does not panic")
    }
}

/// Runs the command on a new connection, which earlier failures have not affected.
async fn carry_out(address: &str, command: Document) -> Result<Document, String> {
    let address = ServerAddress::parse(address).map_err(|error| error.to_string())?;
    let options = ClientOptions::builder()
        .hosts(vec![address])
        .direct_connection(true);
    let options = options
        .server_selection_timeout(COMMAND_TIMEOUT)
        .connect_timeout(COMMAND_TIMEOUT)
        .build();
    let client = Client::with_options(options).map_err(|error| error.to_string())?;
    let answer = client.database("admin").run_command(command).await;
    client.shutdown().immediate(true).await;
    answer.map_err(|error| error.to_string())
}
