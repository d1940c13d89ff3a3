//! A real `redis-server`, on an address that it keeps, with nothing that outlives it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::eventually::eventually;
use crate::server::folder::Folder;
use crate::server::place::Place;
use crate::server::ports;
use crate::server::process::Process;

const PATIENCE: Duration = Duration::from_secs(2);

/// A server. Dropping it kills it.
#[derive(Debug)]
pub struct Redis {
    process: Option<Process>,
    folder: Folder,
    place: Place,
    port: u16,
    password: Option<String>,
}

impl Redis {
    /// One on this machine.
    pub async fn start() -> Self {
        Self::at(Place::here(), None).await
    }

    /// One there, with this password if there is one.
    pub async fn at(place: Place, password: Option<&str>) -> Self {
        let mut redis = Self::planned(place, password);
        redis.run().await;
        redis
    }

    /// One to be: its address is known, and nothing listens there yet.
    #[must_use]
    pub fn planned(place: Place, password: Option<&str>) -> Self {
        let (folder, port) = (Folder::new(), ports::unused());
        Self {
            process: None,
            folder,
            place,
            port,
            password: password.map(str::to_owned),
        }
    }

    /// Starts it where it does not run, and waits until it answers. It has forgotten everything.
    pub async fn run(&mut self) {
        let mut command = self.place.command("redis-server");
        command.args([
            "--port",
            &self.port.to_string(),
            "--bind",
            self.place.address(),
        ]);
        command
            .args(["--save", "", "--appendonly", "no", "--protected-mode", "no"])
            .arg("--dir");
        command.arg(self.folder.path());
        command.args(
            self.password
                .iter()
                .flat_map(|password| ["--requirepass", password]),
        );
        self.process = Some(Process::called("redis-server", command));
        let answers = async || {
            self.command("PING")
                .await
                .filter(|answer| answer.contains("PONG"))
        };
        eventually("redis-server to answer", answers).await;
    }

    /// `REDIS_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        let password = self
            .password
            .iter()
            .map(|password| format!(":{password}@"))
            .collect::<String>();
        format!("redis://{password}{}:{}/", self.place.address(), self.port)
    }

    /// Ends it as a power cut would.
    pub async fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().await;
        }
    }

    /// Kills it, and starts another one in its place.
    pub async fn restart(&mut self) {
        self.kill().await;
        self.run().await;
    }

    /// Keeps it from doing anything, with all its connections open.
    pub async fn pause(&self) {
        self.process
            .as_ref()
            .expect("redis-server runs")
            .signal("STOP")
            .await;
    }

    /// Lets it go on.
    pub async fn resume(&self) {
        self.process
            .as_ref()
            .expect("redis-server runs")
            .signal("CONT")
            .await;
    }

    /// Has it forget everything.
    pub async fn flush_all(&self) {
        let answer = self.command("FLUSHALL").await.unwrap_or_default();
        assert!(answer.contains("+OK"), "FLUSHALL: {answer:?}");
    }

    /// Waits until so many are subscribed to something.
    pub async fn await_subscribers(&self, count: usize) {
        let subscribed = async || {
            let clients = self.command("CLIENT LIST TYPE pubsub").await?;
            (clients.matches("addr=").count() >= count).then_some(())
        };
        eventually(&format!("{count} subscribers"), subscribed).await;
    }

    /// What it answers to a command, with what it answers to the password before it; `None` where
    /// it does not.
    pub async fn command(&self, command: &str) -> Option<String> {
        timeout(PATIENCE, self.exchange(command)).await.ok()?.ok()
    }

    async fn exchange(&self, command: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect((self.place.address(), self.port)).await?;
        let login = self
            .password
            .iter()
            .map(|password| format!("AUTH {password}\r\n"))
            .collect::<String>();
        stream
            .write_all(format!("{login}{command}\r\nQUIT\r\n").as_bytes())
            .await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}
